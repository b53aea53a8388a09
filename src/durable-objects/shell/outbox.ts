import type { DeadLetterRecord } from "../../core/dead-letters/dead-letter.ts";
import { readDeadLetterRecord, writeDeadLetterRecord } from "../../core/dead-letters/record.ts";
import type { NewSignal } from "../../core/signals/signal.ts";
import { EffectOutbox } from "./effect-outbox.ts";
import { type Draft, readOutgoingSignal, writeOutgoingSignal } from "./outgoing-signal.ts";
import { readableRows } from "./readable-rows.ts";

/** Of a text that could not be read, in its dead letter. */
const KEPT_CHARACTERS = 65_536;
/** Characters that are handed over together: a call takes 32 MiB, and sender and receiver hold them in memory. */
const HANDED_CHARACTERS = 2_000_000;

/** Where an object keeps the number of the last signal that it emitted. */
export interface EmittedNumbers {
  /** Name under which the log numbers the signals. */
  readonly producer: string;
  /** Gives out the next number. The transaction that the signal belongs to stores it. */
  next(): number;
}

/**
 * Decisions of an object that are not delivered yet: signals, dead letters and, where the object has them, effects
 * on other objects. Written in the transaction of the state that they follow from; deleted when the receiver has them.
 * Handing over twice is harmless: the log knows the numbers, the others know the ids.
 *
 * Tables: `outgoing(number, body)`, `buried(number, body)`; with effects `deeds`, see {@link EffectOutbox}.
 */
export class Outbox {
  readonly #sql: SqlStorage;
  readonly #numbers: EmittedNumbers;
  #effects: EffectOutbox | undefined;
  #filled = false;

  constructor(sql: SqlStorage, numbers: EmittedNumbers) {
    this.#sql = sql;
    this.#numbers = numbers;
    sql.exec("CREATE TABLE IF NOT EXISTS outgoing (number INTEGER PRIMARY KEY, body TEXT NOT NULL)");
    sql.exec("CREATE TABLE IF NOT EXISTS buried (number INTEGER PRIMARY KEY, body TEXT NOT NULL)");
  }

  /** Name under which the log numbers the signals. */
  get producer(): string {
    return this.#numbers.producer;
  }

  /** Effects other than signals. Their table is made when an object first asks for them: most objects have none. */
  get effects(): EffectOutbox {
    this.#effects ??= new EffectOutbox(
      this.#sql,
      () => this.#noteFilled(),
      (body, error) => this.#unreadable("effect", body, error),
    );
    return this.#effects;
  }

  /** @returns the id that the signal will have */
  emit(draft: Draft): string {
    return this.#add(writeOutgoingSignal(draft));
  }

  /** Has a signal appended to the log as it is, under the id that it has. */
  append(signal: NewSignal): void {
    this.#add(JSON.stringify(signal));
  }

  deadLetter(record: DeadLetterRecord): void {
    this.#sql.exec("INSERT INTO buried (body) VALUES (?)", writeDeadLetterRecord(record));
    this.#noteFilled();
  }

  /** The next signals without a hole in their numbers, oldest first; `undefined` when there are none. */
  nextSignals(limit = 500): { first: number; signals: NewSignal[] } | undefined {
    const select = "SELECT number, body FROM outgoing ORDER BY number LIMIT ?";
    const rows = firstOf(this.#sql.exec<{ number: number; body: string }>(select, limit));
    // One that cannot be read would stop the signals behind it for ever. Its number stays unused.
    const read = readableRows(
      "outbox",
      rows,
      ({ number, body }) => ({ number, signal: readOutgoingSignal(body) }),
      ({ number, body }, error) => {
        this.#unreadable("signal", body, error);
        this.#sql.exec("DELETE FROM outgoing WHERE number = ?", number);
      },
    );
    const readable = [...read];
    const first = readable[0]?.number;
    if (first === undefined) return undefined;
    const run = readable.filter((row, place) => row.number === first + place);
    return { first, signals: run.map(({ signal }) => signal) };
  }

  forgetSignals(through: number): void {
    this.#sql.exec("DELETE FROM outgoing WHERE number <= ?", through);
  }

  nextDeadLetters(): { number: number; record: DeadLetterRecord }[] {
    const rows = this.#sql.exec<{ number: number; body: string }>(
      "SELECT number, body FROM buried ORDER BY number LIMIT 100",
    );
    return firstOf(rows).map(({ number, body }) => {
      try {
        return { number, record: readDeadLetterRecord(body) };
      } catch (error) {
        return { number, record: this.#recordOf("dead letter", body, error) };
      }
    });
  }

  forgetDeadLetters(through: number): void {
    this.#sql.exec("DELETE FROM buried WHERE number <= ?", through);
  }

  /** Whether no signal and no dead letter waits. */
  get empty(): boolean {
    const { left } = this.#sql
      .exec<{ left: number }>("SELECT EXISTS(SELECT 1 FROM outgoing) OR EXISTS(SELECT 1 FROM buried) AS left")
      .one();
    return left === 0;
  }

  /** Whether something was put in since this was last asked, or since {@link forgetFilled}. */
  takeFilled(): boolean {
    const filled = this.#filled;
    this.#filled = false;
    return filled;
  }

  /** To be called after the transaction failed: drops the items that it added. */
  forgetFilled(): void {
    this.#filled = false;
  }

  #unreadable(what: string, body: string, error: unknown): void {
    this.deadLetter(this.#recordOf(what, body, error));
  }

  /** What an outbox holds and cannot be read, for people: with its text, since nothing else is known of it. */
  #recordOf(what: string, body: string, error: unknown): DeadLetterRecord {
    return {
      id: `${this.producer}.unreadable.${crypto.randomUUID()}`,
      kind: "signal",
      signal: { [what]: body.slice(0, KEPT_CHARACTERS) },
      error: `a stored ${what} could not be read and was not delivered: ${error instanceof Error ? error.message : error}`,
      daemon: "ganglion/outbox",
    };
  }

  #noteFilled(): void {
    this.#filled = true;
  }

  #add(body: string): string {
    const number = this.#numbers.next();
    this.#sql.exec("INSERT INTO outgoing (number, body) VALUES (?, ?)", number, body);
    this.#noteFilled();
    return `${this.#numbers.producer}.${number}`;
  }
}

/** As many rows as may be handed over together, one at least. */
function firstOf<Row extends { readonly body: string }>(rows: Iterable<Row>): Row[] {
  const first: Row[] = [];
  let chars = 0;
  for (const row of rows) {
    chars += row.body.length;
    if (first.length > 0 && chars > HANDED_CHARACTERS) break;
    first.push(row);
  }
  return first;
}
