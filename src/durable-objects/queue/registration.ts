import type { Notes } from "../shell/notes.ts";
import { RETRY_MS } from "../shell/outbox-relay.ts";
import { type Namespace, objectNamed } from "../shell/ports.ts";
import type { NoteName } from "./task-store.ts";

/** Binding to the directory of queues. */
export interface DirectoryBinding {
  readonly DIRECTORY: Namespace<{ addQueue(ecosystem: string, name: string, nowMs: number): Promise<void> }>;
}

interface RegistrationOptions {
  readonly env: DirectoryBinding;
  readonly ecosystem: string;
  readonly queue: string;
  readonly notes: Notes<NoteName>;
  readonly keepAlive: (work: Promise<void>) => void;
  readonly wakeBy: (atMs: number) => void;
}

/** Makes a queue known to the directory, once in its life; a failure is tried again with the next commit. */
export class Registration {
  readonly #options: RegistrationOptions;
  #registered: boolean;
  #registering: Promise<void> | undefined;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#registered = options.notes.read("registered") !== undefined;
  }

  /** Resolves when the directory has answered; `undefined`: nothing is under way. */
  get underWay(): Promise<void> | undefined {
    return this.#registering;
  }

  /** The queue begins: with its first task, or with its first worker, whose channel a deletion of the token must find. */
  begin(): void {
    if (this.#registered) return;
    this.#registered = true;
    const { env, ecosystem, queue, notes, keepAlive, wakeBy } = this.#options;
    const ended = () => {
      this.#registering = undefined;
    };
    this.#registering = objectNamed(env.DIRECTORY, "directory")
      .addQueue(ecosystem, queue, Date.now())
      .then(
        () => notes.write("registered", "1"),
        (error: unknown) => {
          this.#registered = false;
          wakeBy(Date.now() + RETRY_MS);
          console.warn("priority queue: not listed yet", ecosystem, queue, String(error));
        },
      )
      .then(ended);
    keepAlive(this.#registering);
  }
}
