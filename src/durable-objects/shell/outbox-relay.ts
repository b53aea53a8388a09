import type { DeadLetterRecord } from "../../core/dead-letters/dead-letter.ts";
import type { PlacementVariables } from "../../core/deployment/placement.ts";
import type { AppendOutcome, AppendRequest } from "../../core/signals/api.ts";
import { logLine } from "./log-line.ts";
import type { Outbox } from "./outbox.ts";
import { type Namespace, objectNamed } from "./ports.ts";

/** Call of the log by which signals are handed over. */
export interface AppendCalls {
  append(request: AppendRequest): Promise<AppendOutcome>;
}

/** Bindings to the log and to the dead letters, the receivers of an outbox. */
export interface RelayBindings extends PlacementVariables {
  readonly SIGNAL_LOG: Namespace<AppendCalls>;
  readonly DEAD_LETTERS: Namespace<{ record(records: readonly DeadLetterRecord[]): Promise<void> }>;
}

/** Between two tries, in milliseconds. */
export const RETRY_MS = 2_000;

export interface OutboxRelayOptions {
  readonly env: RelayBindings;
  readonly outbox: Outbox;
  readonly ecosystem: string;
  /** Of the object, for the log. */
  readonly name: string;
  /** Has `run` called again at that time, or before. */
  readonly wakeBy: (atMs: number) => void;
  /** Completes a dead letter at the last moment. */
  readonly complete?: (record: DeadLetterRecord) => Promise<DeadLetterRecord>;
  /** Hands over what else waits: called when the outbox is empty, and may fill it. @returns whether something is left */
  readonly more?: () => Promise<boolean>;
}

/**
 * Hands an object's signals to the log and its dead letters to the object of dead letters. They stay in the outbox,
 * with an alarm set, until the receiver has them; handed over twice they are recognised there.
 */
export class OutboxRelay {
  readonly #options: OutboxRelayOptions;
  #running: Promise<void> | undefined;

  constructor(options: OutboxRelayOptions) {
    this.#options = options;
  }

  /** Something was put into the outbox: after a crash before its delivery, the alarm runs the relay again. */
  soon(): void {
    this.#options.wakeBy(Date.now() + RETRY_MS);
  }

  /** Delivers until nothing is left, or until a receiver refuses. One run at a time; never throws. */
  run(): Promise<void> {
    this.#running ??= this.#deliver().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #deliver(): Promise<void> {
    const { outbox, more, name, ecosystem } = this.#options;
    try {
      do {
        if (!(await this.#empty())) return;
        if ((await more?.()) === true) this.soon();
        // An effect that was refused elsewhere has become a dead letter, and more may have been decided meanwhile.
      } while (!outbox.empty);
    } catch (error) {
      logLine("warn", "outbox-not-delivered", { ecosystem, object: name, error });
      this.soon();
    }
  }

  /** @returns false where the log is overloaded: the alarm retries at the time that the log asks for */
  async #empty(): Promise<boolean> {
    const { env, outbox, ecosystem, wakeBy, complete } = this.#options;
    const log = objectNamed(env.SIGNAL_LOG, ecosystem, env);
    const deadLetters = objectNamed(env.DEAD_LETTERS, ecosystem, env);
    // Until the outbox is empty, because more may be put in while this waits for a receiver.
    while (!outbox.empty) {
      const next = outbox.nextSignals();
      if (next !== undefined) {
        const { first, signals } = next;
        const outcome = await log.append({ producer: { name: outbox.producer, first }, signals });
        if ("overloaded" in outcome) {
          wakeBy(Date.now() + outcome.retry_after_ms);
          return false;
        }
        // Numbers of this edge's own objects are not compared: a conflict is a defect, and must not pass for delivered.
        if ("conflict" in outcome || "foreign_id" in outcome)
          throw new Error(`the log refused signals of ${outbox.producer}: ${JSON.stringify(outcome)}`);
        outbox.forgetSignals(first + signals.length - 1);
      }
      const rows = outbox.nextDeadLetters();
      if (rows.length > 0) {
        const records = rows.map(({ record }) => record);
        const completed = complete === undefined ? records : await Promise.all(records.map(complete));
        await recordEach(completed, (some) => deadLetters.record(some));
        outbox.forgetDeadLetters(rows.at(-1)?.number ?? 0);
      }
    }
    return true;
  }
}

/**
 * Hands records over, together where that works. A record that the receiver cannot take at all, such as one that is too
 * large for a row, would hold up all others for ever: it goes without its content.
 */
async function recordEach(
  records: readonly DeadLetterRecord[],
  record: (some: readonly DeadLetterRecord[]) => Promise<void>,
): Promise<void> {
  try {
    return await record(records);
  } catch {
    // Tried one by one. A receiver that takes none of them throws here again, and all are kept.
    for (const one of records) {
      try {
        await record([one]);
      } catch (error) {
        const { id, kind, daemon, error: why, host } = one;
        const what = `${why.slice(0, 4_000)} (its content could not be kept: ${String(error).slice(0, 500)})`;
        await record([{ id, kind, daemon, error: what, ...(host === undefined ? {} : { host }) }]);
        // The receiver works again, and may take the content now after all.
        await record([one]).catch(() => undefined);
      }
    }
  }
}
