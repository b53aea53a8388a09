import type { PlacementVariables } from "../../core/deployment/placement.ts";
import { logLine } from "../shell/log-line.ts";
import type { Notes } from "../shell/notes.ts";
import { RETRY_MS } from "../shell/outbox-relay.ts";
import { type Namespace, objectNamed } from "../shell/ports.ts";
import type { NoteName } from "./task-store.ts";

/** What the directory knows of an ecosystem. */
export interface KnownOfEcosystem {
  /** The finished tasks are exported. */
  readonly exporting: boolean;
  /** Tasks have notes. */
  readonly noting: boolean;
}

/** Bindings to the directory of queues, and to where workers wait for queues that do not exist yet. */
export interface RegistrationBindings extends PlacementVariables {
  readonly DIRECTORY: Namespace<{
    addQueue(ecosystem: string, name: string, nowMs: number): Promise<KnownOfEcosystem>;
  }>;
  readonly QUEUE_LOBBY: Namespace<{ queueBegan(queue: string): Promise<void> }>;
}

interface RegistrationOptions {
  readonly env: RegistrationBindings;
  readonly ecosystem: string;
  readonly queue: string;
  readonly notes: Notes<NoteName>;
  /** Whether the queue has held a task before, and should be known. */
  readonly begun: boolean;
  readonly keepAlive: (work: Promise<void>) => void;
  readonly wakeBy: (atMs: number) => void;
  /** Takes what the directory knows of the ecosystem. */
  readonly learn: (known: KnownOfEcosystem) => Promise<void>;
}

/**
 * Makes a queue known to the directory, and to those who wait for it, once in its life. A failure is tried again with the
 * next commit.
 */
export class Registration {
  readonly #options: RegistrationOptions;
  #registered: boolean;
  /** Whether the queue has begun: a worker alone does not make one. */
  #begun: boolean;
  #registering: Promise<void> | undefined;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#registered = options.notes.read("registered") !== undefined;
    this.#begun = options.begun;
  }

  /** Resolves when the directory has answered; `undefined`: nothing is under way. */
  get underWay(): Promise<void> | undefined {
    return this.#registering;
  }

  /** The queue begins: with its first task or with settings, or because a worker and a caller wait for it. */
  begin(): void {
    this.#begun = true;
    this.retry();
  }

  /** As {@link begin}; resolves when the directory has answered. */
  async register(): Promise<void> {
    this.begin();
    await this.#registering;
  }

  /** Registers the queue, where it has begun and is not registered. */
  retry(): void {
    if (!this.#begun || this.#registered) return;
    this.#registered = true;
    const { env, ecosystem, queue, notes, keepAlive, wakeBy, learn } = this.#options;
    const ended = () => {
      this.#registering = undefined;
    };
    this.#registering = objectNamed(env.DIRECTORY, "directory", env)
      .addQueue(ecosystem, queue, Date.now())
      .then(learn)
      // In this order: who comes to the lobby from now on is sent on by the directory.
      .then(() => objectNamed(env.QUEUE_LOBBY, ecosystem, env).queueBegan(queue))
      .then(
        () => notes.write("registered", "1"),
        (error: unknown) => {
          this.#registered = false;
          wakeBy(Date.now() + RETRY_MS);
          logLine("warn", "queue-not-listed", { ecosystem, object: "queue", queue, error });
        },
      )
      .then(ended);
    keepAlive(this.#registering);
  }
}
