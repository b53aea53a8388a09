import { PROJECTIONS } from "../../core/projection/batch.ts";
import { objectNamed } from "../shell/ports.ts";
import { projectionOf } from "../shell/projection-ports.ts";
import type { SignalLogBindings } from "./ports.ts";

/** Notifies the projections of an ecosystem how far its log reaches. */
export class ProjectionNudge {
  readonly #env: SignalLogBindings;
  readonly #ecosystem: string;
  readonly #head: () => number;
  /** The alarm is also set for sockets. One that woke the object may have been set for both. */
  #due = true;

  constructor(env: SignalLogBindings, ecosystem: string, head: () => number) {
    this.#env = env;
    this.#ecosystem = ecosystem;
    this.#head = head;
  }

  /** The next alarm is for the projections, too. */
  expect(): void {
    this.#due = true;
  }

  async run(): Promise<void> {
    const head = this.#head();
    await Promise.all(PROJECTIONS.map((name) => projectionOf(this.#env, name, this.#ecosystem).catchUp(head)));
  }

  async alarm(): Promise<void> {
    if (!this.#due) return;
    this.#due = false;
    try {
      await this.run();
      await objectNamed(this.#env.DIRECTORY, "directory").touch(this.#ecosystem, Date.now());
    } catch (error) {
      // After a failure the runtime repeats the alarm with back-off: a projection that is down is notified later.
      this.#due = true;
      throw error;
    }
  }
}
