import type { Environment } from "../environment.ts";
import type { OutgoingBox } from "../projection/outgoing.ts";

const RETRY_MS = 2_000;

/**
 * Hands signals to the log and its dead letters to where they are kept. They stay in the box, with an alarm
 * set, until the other side has them; handed over twice they are recognised there.
 */
export class Delivery {
  readonly #env: Environment;
  readonly #box: OutgoingBox;
  readonly #ecosystem: string;
  readonly #wakeBy: (atMs: number) => void;
  #running: Promise<void> | undefined;

  constructor(env: Environment, box: OutgoingBox, ecosystem: string, wakeBy: (atMs: number) => void) {
    this.#env = env;
    this.#box = box;
    this.#ecosystem = ecosystem;
    this.#wakeBy = wakeBy;
  }

  /** Something was put into the box: should we crash before it is delivered, the alarm sees to it. */
  soon(): void {
    this.#wakeBy(Date.now() + RETRY_MS);
  }

  /** @param producer - name under which the log numbers the signals */
  run(producer: string): Promise<void> {
    this.#running ??= this.#empty(producer).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #empty(producer: string): Promise<void> {
    const log = this.#env.SIGNAL_LOG.get(this.#env.SIGNAL_LOG.idFromName(this.#ecosystem));
    const letterbox = this.#env.DEAD_LETTERS.get(this.#env.DEAD_LETTERS.idFromName(this.#ecosystem));
    try {
      // Until it is empty, because more may be put in while this waits for the other side.
      while (!this.#box.empty) {
        const next = this.#box.next();
        if (next !== undefined) {
          const outcome = await log.append({ producer: { name: producer, first: next.first }, signals: next.signals });
          if ("overloaded" in outcome) {
            this.#wakeBy(Date.now() + outcome.retry_after_ms);
            return;
          }
          this.#box.forget(next.first + next.signals.length - 1);
        }
        const letters = this.#box.letters();
        if (letters.length > 0) {
          await letterbox.record(letters.map(({ letter }) => letter));
          this.#box.forgetLetters(letters.at(-1)?.number ?? 0);
        }
      }
    } catch (error) {
      console.warn("delivery failed and will be tried again", this.#ecosystem, String(error));
      this.#wakeBy(Date.now() + RETRY_MS);
    }
  }
}
