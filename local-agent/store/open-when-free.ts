import { setTimeout as pause } from "node:timers/promises";
import { HeldError } from "./explain-open-error.ts";
import { StateDatabase } from "./state-database.ts";

export interface Patience {
  /** How long to wait for a holder of whom nothing is known: it may be ending without having noticed yet. */
  readonly heldMs: number;
  /** How long to wait for a holder that is stopping, its supervised agents and commands with it. */
  readonly stoppingMs: number;
}

const PATIENCE: Patience = { heldMs: 3_000, stoppingMs: 60_000 };
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 200;

/**
 * Opens the state of an agent that may still be ending: an agent whose parent was killed notices it a moment later, and
 * then stops in order.
 *
 * @throws ExpectedError when another agent still holds the directory after that time, or the directory cannot be written
 */
export async function openWhenFree(stateDir: string, patience: Patience = PATIENCE): Promise<StateDatabase> {
  const startedMs = performance.now();
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return StateDatabase.open(stateDir);
    } catch (error) {
      if (!(error instanceof HeldError)) throw error;
      const waitMs = error.stopping ? patience.stoppingMs : patience.heldMs;
      if (performance.now() - startedMs >= waitMs) throw error;
    }
    await pause(pauseMs);
  }
}
