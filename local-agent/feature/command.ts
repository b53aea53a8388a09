import type { RefusalCode } from "../../src/core/hosts/agent-socket.ts";

/** The command is unknown or its payload is wrong. The message is for the caller; the same command again fails again. */
export class CommandRefused extends Error {
  override readonly name = "CommandRefused";
  /** For programs on this host that do something else then. */
  readonly code: RefusalCode | undefined;

  constructor(message: string, code?: RefusalCode) {
    super(message);
    this.code = code;
  }
}

export interface CommandContext {
  /** Aborted when the caller no longer waits for the result. */
  readonly signal: AbortSignal;
}

/**
 * Checks `payload` itself, because callers are outside of the agent, and returns the result as JSON. Throws
 * {@link CommandRefused} for errors of the caller. The same command may arrive twice, because its answer can get lost.
 */
export type CommandHandler = (payload: unknown, context: CommandContext) => unknown;

/** Runs the commands that the features of this host have registered. */
export interface CommandRunner {
  /** Sorted. */
  readonly types: readonly string[];
  /** Calls `listener` when a command was added. @returns a function that removes the listener */
  onAdded(listener: () => void): () => void;
  /** @throws CommandRefused for an unknown type, or when the handler refuses the payload */
  run(type: string, payload: unknown, context: CommandContext): Promise<unknown>;
}
