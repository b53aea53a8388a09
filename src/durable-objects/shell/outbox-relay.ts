import type { DeadLetterRecord } from "../../core/dead-letters/record.ts";
import type { Environment } from "../../workers/environment.ts";
import type { Outbox } from "./outbox.ts";

/** Between two tries, in milliseconds. */
export const RETRY_MS = 2_000;

export interface OutboxRelayOptions {
  readonly env: Environment;
  readonly box: Outbox;
  readonly ecosystem: string;
  /** Of the object, for the log. */
  readonly name: string;
  /** Has `run` called again at that time, or before. */
  readonly wakeBy: (atMs: number) => void;
  /** What is added to a letter at the last moment. */
  readonly complete?: (letter: DeadLetterRecord) => Promise<DeadLetterRecord>;
  /** What else is on its way: called when the box is empty, and may fill it. @returns whether something is left for later */
  readonly more?: () => Promise<boolean>;
}

/**
 * Hands an object's signals to the log and its dead letters to where they are kept. They stay in the box, with an alarm
 * set, until the other side has them; handed over twice they are recognised there.
 */
export class OutboxRelay {
  readonly #options: OutboxRelayOptions;
  #running: Promise<void> | undefined;

  constructor(options: OutboxRelayOptions) {
    this.#options = options;
  }

  /** Something was put into the box: should we crash before it is delivered, the alarm sees to it. */
  soon(): void {
    this.#options.wakeBy(Date.now() + RETRY_MS);
  }

  /** @param producer - name under which the log numbers the signals */
  run(producer: string): Promise<void> {
    this.#running ??= this.#deliver(producer).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #deliver(producer: string): Promise<void> {
    const { box, more, name, ecosystem } = this.#options;
    try {
      do {
        if (!(await this.#empty(producer))) return;
        if ((await more?.()) === true) this.soon();
        // What was refused elsewhere has become a letter, and more may have been decided meanwhile.
      } while (!box.empty);
    } catch (error) {
      console.warn(`${name}: delivery failed and will be tried again`, ecosystem, String(error));
      this.soon();
    }
  }

  /** @returns false where the log has too much to do: it is tried again when the log says */
  async #empty(producer: string): Promise<boolean> {
    const { env, box, ecosystem, wakeBy, complete } = this.#options;
    const log = env.SIGNAL_LOG.get(env.SIGNAL_LOG.idFromName(ecosystem));
    const letterbox = env.DEAD_LETTERS.get(env.DEAD_LETTERS.idFromName(ecosystem));
    // Until it is empty, because more may be put in while this waits for the other side.
    while (!box.empty) {
      const next = box.next();
      if (next !== undefined) {
        const outcome = await log.append({ producer: { name: producer, first: next.first }, signals: next.signals });
        if ("overloaded" in outcome) {
          wakeBy(Date.now() + outcome.retry_after_ms);
          return false;
        }
        box.forget(next.first + next.signals.length - 1);
      }
      const rows = box.letters();
      if (rows.length > 0) {
        const letters = rows.map(({ letter }) => letter);
        await letterbox.record(complete === undefined ? letters : await Promise.all(letters.map(complete)));
        box.forgetLetters(rows.at(-1)?.number ?? 0);
      }
    }
    return true;
  }
}
