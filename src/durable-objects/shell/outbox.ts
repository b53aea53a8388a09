import type { DeadLetterRecord } from "../../core/dead-letters/record.ts";
import type { NewSignal } from "../../core/signals/signal.ts";

/** A signal on its way from an object to the log; its number is its place in the outgoing box. */
export interface Draft {
  readonly signal: string;
  readonly source: string;
  readonly facts: Record<string, unknown>;
  /** Time of the event, in milliseconds since the epoch. */
  readonly timestampMs: number;
  readonly cause?: string | undefined;
  readonly trace?: string | undefined;
  readonly depth?: number | undefined;
}

/**
 * Signals and dead letters that an object has decided on and not yet handed over. Written in the transaction of
 * the state that they follow from; deleted when the log has them. Handing over twice is harmless: the log knows the
 * numbers, the dead letters know their ids.
 */
export class Outbox {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec("CREATE TABLE IF NOT EXISTS outgoing (number INTEGER PRIMARY KEY, body TEXT NOT NULL)");
    sql.exec("CREATE TABLE IF NOT EXISTS buried (number INTEGER PRIMARY KEY, body TEXT NOT NULL)");
  }

  add(number: number, { facts, ...draft }: Draft): void {
    const signal: NewSignal = {
      id: undefined,
      cause: undefined,
      trace: undefined,
      depth: undefined,
      ...draft,
      factsJson: JSON.stringify(facts),
    };
    this.#sql.exec("INSERT INTO outgoing (number, body) VALUES (?, ?)", number, JSON.stringify(signal));
  }

  bury(letter: DeadLetterRecord): void {
    this.#sql.exec("INSERT INTO buried (body) VALUES (?)", JSON.stringify(letter));
  }

  /** The next signals without a hole in their numbers, oldest first; `undefined` when there are none. */
  next(limit = 500): { first: number; signals: NewSignal[] } | undefined {
    const rows = [
      ...this.#sql.exec<{ number: number; body: string }>(
        "SELECT number, body FROM outgoing ORDER BY number LIMIT ?",
        limit,
      ),
    ];
    const first = rows[0]?.number;
    if (first === undefined) return undefined;
    const run = rows.filter((row, place) => row.number === first + place);
    return { first, signals: run.map(({ body }) => readSignal(body)) };
  }

  forget(through: number): void {
    this.#sql.exec("DELETE FROM outgoing WHERE number <= ?", through);
  }

  letters(): { number: number; letter: DeadLetterRecord }[] {
    const rows = this.#sql.exec<{ number: number; body: string }>(
      "SELECT number, body FROM buried ORDER BY number LIMIT 100",
    );
    return [...rows].map(({ number, body }) => ({ number, letter: JSON.parse(body) as DeadLetterRecord }));
  }

  forgetLetters(through: number): void {
    this.#sql.exec("DELETE FROM buried WHERE number <= ?", through);
  }

  get empty(): boolean {
    const { left } = this.#sql
      .exec<{ left: number }>("SELECT EXISTS(SELECT 1 FROM outgoing) OR EXISTS(SELECT 1 FROM buried) AS left")
      .one();
    return left === 0;
  }
}

/** JSON drops what is undefined; the log's type wants it said. */
function readSignal(body: string): NewSignal {
  const stored = JSON.parse(body) as Partial<NewSignal> & Pick<NewSignal, "signal" | "source" | "factsJson">;
  return { id: undefined, timestampMs: undefined, cause: undefined, trace: undefined, depth: undefined, ...stored };
}
