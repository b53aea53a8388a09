import { Listeners } from "../base/listeners.ts";
import { type CommandContext, type CommandHandler, CommandRefused, type CommandRunner } from "../feature/command.ts";

/** Why a host may not know the commands of a feature, by the first word of the command. */
const MISSING_SECTIONS: Readonly<Record<string, string>> = {
  supervisor: "it supervises no agents; its settings have no section agents (docs/supervisor.md)",
  reaction: "it has no reactions; its settings have no section reactions (docs/reactions.md)",
};

/**
 * The commands that this host knows: `supervisor.restart`, `intent.replay`, and so on. They arrive through the local
 * socket, and from the edge as tasks of the queue `hosts`.
 */
export class HostCommands implements CommandRunner {
  readonly #handlers = new Map<string, CommandHandler>();
  readonly #listeners = new Listeners();

  /** @returns a function that removes the handler */
  add(type: string, handler: CommandHandler): () => void {
    if (this.#handlers.has(type)) throw new Error(`the command ${type} has a handler already`);
    this.#handlers.set(type, handler);
    this.#listeners.notify();
    return () => this.#handlers.delete(type);
  }

  get types(): string[] {
    return [...this.#handlers.keys()].sort();
  }

  onAdded(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  async run(type: string, payload: unknown, context: CommandContext): Promise<unknown> {
    const handler = this.#handlers.get(type);
    if (handler === undefined) {
      const [feature = ""] = type.split(".");
      const why = MISSING_SECTIONS[feature] ?? `it knows ${this.types.join(", ") || "no commands"}`;
      throw new CommandRefused(`this host does not know "${type}": ${why}`, "unknown-command");
    }
    return handler(payload, context);
  }
}
