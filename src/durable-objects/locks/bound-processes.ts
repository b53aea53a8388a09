import type { ProcessLife, ProcessName } from "../../core/hosts/process-life.ts";
import type { OwnerProcess } from "../../core/locks/api.ts";
import type { Hold, LockRequest } from "../../core/locks/hold.ts";
import { LockName } from "../../core/locks/lock-name.ts";
import type { LockTable } from "../../core/locks/lock-table.ts";
import { logLine } from "../shell/log-line.ts";
import { objectNamed } from "../shell/ports.ts";
import type { AcquireCall } from "./calls.ts";
import type { LocksBindings } from "./ports.ts";

/** Locks bound to processes that are asked after in one call. */
const MAX_ASKED = 500;

/** Whether the processes run to whose lives locks are bound, as their supervisors report it. */
export class BoundProcesses {
  readonly #env: LocksBindings;
  readonly #ecosystem: string;

  constructor(env: LocksBindings, ecosystem: string) {
    this.#env = env;
    this.#ecosystem = ecosystem;
  }

  /** The request, with the run of the process to which the lock is to be bound. */
  async requestOf(call: AcquireCall): Promise<LockRequest | { readonly notRunning: OwnerProcess }> {
    const { name, mode, owner, token, ttlMs, task, process } = call;
    const request = { name: new LockName(name), mode, owner, token, ttlMs, task };
    if (process === null) return { ...request, process: null };
    const [life] = await this.#lives([process]);
    if (life === undefined || typeof life !== "object" || !("run" in life)) return { notRunning: process };
    return { ...request, process: { ...process, run: life.run } };
  }

  /**
   * A lock whose process runs is held on. Where nobody can say, it is held until somebody can.
   *
   * @returns what was heard, for the table; `undefined`: nobody could say
   */
  async judgementsOf(table: LockTable): Promise<{ fence: number; life: Judgement }[] | undefined> {
    const doubted = table.doubted(MAX_ASKED);
    if (doubted.length === 0) return [];
    try {
      const lives = await this.#lives(doubted.flatMap(({ process }) => process ?? []));
      return doubted.map((hold, place) => ({ fence: hold.fence, life: judgement(hold, lives[place] ?? "ended") }));
    } catch (error) {
      logLine("warn", "processes-of-locks-unknown", { ecosystem: this.#ecosystem, object: "locks", error });
      return undefined;
    }
  }

  #lives(asked: readonly ProcessName[]): Promise<ProcessLife[]> {
    return objectNamed(this.#env.AGENT_REGISTRY, this.#ecosystem, this.#env).processLives(asked);
  }
}

type Judgement = Parameters<LockTable["judge"]>[1];

/** A process that was started anew is another one. */
function judgement({ process }: Hold, life: ProcessLife): Judgement {
  if (typeof life !== "object") return "ended";
  if (!("run" in life)) return life;
  return life.run === process?.run ? "alive" : "ended";
}
