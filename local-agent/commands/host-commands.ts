import { Listeners } from "../base/listeners.ts";
/** A command asked the wrong thing: what it says is for the asker, and asking again does not help. */
export class CommandRefused extends Error {
  override readonly name = "CommandRefused";
}

export interface CommandContext {
  /** Aborted when nobody wants the result any more. */
  readonly signal: AbortSignal;
}

/**
 * Checks `payload` itself: it comes from outside. Returns what the asker gets, as JSON. Throws {@link CommandRefused}
 * for what the asker can put right. It may be called twice for one command: an answer can be lost on its way.
 */
export type CommandHandler = (payload: unknown, context: CommandContext) => unknown;

/** What a host lacks that does not know the commands of a room. */
const SECTIONS: Readonly<Record<string, string>> = {
  supervisor: "it supervises no agents; its settings have no section agents (docs/supervisor.md)",
  reaction: "it has no reactions; its settings have no section reactions (docs/reactions.md)",
};

/**
 * What this host can be told to do: `supervisor.restart`, `intent.replay`, and so on. Commands come through the local
 * socket and, as tasks of the queue `hosts`, from the edge; both end here.
 */
export class HostCommands {
  readonly #handlers = new Map<string, CommandHandler>();
  readonly #listeners = new Listeners();

  /** @returns a function that takes the handler away */
  on(type: string, handler: CommandHandler): () => void {
    if (this.#handlers.has(type)) throw new Error(`there is a handler for ${type} already`);
    this.#handlers.set(type, handler);
    this.#listeners.tell();
    return () => this.off(type);
  }

  /** From now on this host does not know it. */
  off(type: string): void {
    this.#handlers.delete(type);
  }

  get types(): string[] {
    return [...this.#handlers.keys()].sort();
  }

  /** Calls `listener` when a handler was added. */
  onAdded(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  /** @throws CommandRefused for an unknown type, or what the handler refuses */
  async run(type: string, payload: unknown, context: CommandContext): Promise<unknown> {
    const handler = this.#handlers.get(type);
    if (handler === undefined) {
      const [room = ""] = type.split(".");
      const why = SECTIONS[room] ?? `it knows ${this.types.join(", ") || "no commands"}`;
      throw new CommandRefused(`this host does not know "${type}": ${why}`);
    }
    return handler(payload, context);
  }
}
