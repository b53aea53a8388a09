import type { Effect } from "../../core/policy/effect.ts";

/** Something that a projection does other than emitting, and what it goes back to. */
export interface PendingEffect {
  /** Whoever receives it knows it by this id: handing it over twice is harmless. */
  readonly id: string;
  readonly effect: Exclude<Effect, { kind: "emit" }>;
  /** Id of the signal that led to it. */
  readonly cause: string;
  /** W3C traceparent that it continues. */
  readonly trace: string;
  /** Length of the chain of causes above it. */
  readonly depth: number;
  /** The rule that wanted it. */
  readonly rule: string;
}

/**
 * Deeds on their way, by the object that has to do them. Written in the transaction of the state that they follow
 * from; deleted when the other side has them. One receiver that does not answer holds up no other.
 */
export class EffectOutbox {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS deeds (number INTEGER PRIMARY KEY, receiver TEXT NOT NULL, body TEXT NOT NULL)",
    );
  }

  add(deed: PendingEffect): void {
    this.#sql.exec("INSERT INTO deeds (receiver, body) VALUES (?, ?)", receiverOf(deed), JSON.stringify(deed));
  }

  /** Who has something to do. */
  receivers(): string[] {
    return [...this.#sql.exec<{ receiver: string }>("SELECT DISTINCT receiver FROM deeds")].map(
      ({ receiver }) => receiver,
    );
  }

  /** The oldest of one receiver. */
  next(receiver: string, limit = 100): { number: number; deed: PendingEffect }[] {
    const rows = this.#sql.exec<{ number: number; body: string }>(
      "SELECT number, body FROM deeds WHERE receiver = ? ORDER BY number LIMIT ?",
      receiver,
      limit,
    );
    return [...rows].map(({ number, body }) => ({ number, deed: JSON.parse(body) as PendingEffect }));
  }

  forget(receiver: string, through: number): void {
    this.#sql.exec("DELETE FROM deeds WHERE receiver = ? AND number <= ?", receiver, through);
  }
}

function receiverOf({ effect }: PendingEffect): string {
  return effect.kind === "enqueue" ? `queue/${effect.queue}` : effect.kind;
}
