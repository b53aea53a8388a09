import { pruneDeep } from "../../core/json/prune-deep.ts";
import type { LimitUse } from "../../core/limits/limit-use.ts";
import type { Effect } from "../../core/policy/effect.ts";
import { readableRows } from "./readable-rows.ts";

/** An effect other than a signal that waits to be carried out, and what it goes back to. */
export interface PendingEffect {
  /** The receiver recognises the effect by this id: handing it over twice is harmless. */
  readonly id: string;
  readonly effect: Exclude<Effect, { kind: "emit" }> | LimitUse;
  /** Id of the signal that led to it. */
  readonly cause: string;
  /** W3C traceparent that it continues. */
  readonly trace: string;
  /** Length of the chain of causes above it. */
  readonly depth: number;
  /** Id of the rule that decided on it. */
  readonly rule: string;
  /** Sequence number of the signal that was decided on; missing in effects of earlier versions. */
  readonly seq?: number;
  /** How often the chain of causes has gone from one ecosystem to another. */
  readonly hops?: number;
  /** Id of the token that put the rule. */
  readonly author?: string;
}

/** What became of effects, for the decisions that they belong to. */
export interface EffectFates {
  /** A message went nowhere. @param unheard - its endpoint, where the message does not become a dead letter */
  undelivered?(delivery: string, reason: string, unheard?: string): void;
  /** The author of the rule may not have the effect in another ecosystem. */
  refused?(pending: PendingEffect, reason: string): void;
  /** A forwarded signal has another id in the other ecosystem than was thought. */
  renamed?(pending: PendingEffect, id: string): void;
}

/** An effect and its place in the outbox. */
export interface WaitingEffect {
  readonly number: number;
  readonly pending: PendingEffect;
}

/**
 * Effects on their way, by the object that carries them out. Written in the transaction of the state that they follow
 * from; deleted when the receiver has them. One receiver that does not answer holds up no other.
 *
 * Table: `deeds(number, receiver, body)`.
 */
export class EffectOutbox {
  readonly #sql: SqlStorage;
  readonly #filled: () => void;
  readonly #unreadable: (body: string, error: unknown) => void;

  /**
   * @param filled - notified of each effect that is put in
   * @param unreadable - receives what the table holds and no effect can be read from, before it is deleted
   */
  constructor(sql: SqlStorage, filled: () => void, unreadable: (body: string, error: unknown) => void) {
    this.#sql = sql;
    this.#filled = filled;
    this.#unreadable = unreadable;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS deeds (number INTEGER PRIMARY KEY, receiver TEXT NOT NULL, body TEXT NOT NULL)",
    );
  }

  add(pending: PendingEffect): void {
    this.#sql.exec("INSERT INTO deeds (receiver, body) VALUES (?, ?)", receiverOf(pending), JSON.stringify(pending));
    this.#filled();
  }

  /** Receivers with effects that wait: `queue/<name>`, `webhook`, `maintenance`, `answer`, `limit`, `ecosystem/<name>`. */
  receivers(): string[] {
    return [...this.#sql.exec<{ receiver: string }>("SELECT DISTINCT receiver FROM deeds")].map(
      ({ receiver }) => receiver,
    );
  }

  /** The oldest of one receiver. */
  next(receiver: string, limit = 100): WaitingEffect[] {
    const rows = this.#sql.exec<{ number: number; body: string }>(
      "SELECT number, body FROM deeds WHERE receiver = ? ORDER BY number LIMIT ?",
      receiver,
      limit,
    );
    return [
      ...readableRows(
        "effect outbox",
        [...rows],
        ({ number, body }) => ({ number, pending: readPendingEffect(body) }),
        ({ number, body }, error) => this.#setAside(number, body, error),
      ),
    ];
  }

  /** Gives every effect that waits for one receiver another id. Call it in a transaction. */
  renameAll(receiver: string, rename: (pending: PendingEffect) => PendingEffect): void {
    for (const { number, pending } of this.next(receiver, Number.MAX_SAFE_INTEGER))
      this.#sql.exec("UPDATE deeds SET body = ? WHERE number = ?", JSON.stringify(rename(pending)), number);
  }

  /** A row that cannot be read would stop the effects behind it for ever. */
  #setAside(number: number, body: string, error: unknown): void {
    this.#unreadable(body, error);
    this.#sql.exec("DELETE FROM deeds WHERE number = ?", number);
  }

  forget(receiver: string, through: number): void {
    this.#sql.exec("DELETE FROM deeds WHERE receiver = ? AND number <= ?", receiver, through);
  }
}

function receiverOf({ effect }: PendingEffect): string {
  if (effect.kind === "forward") return `ecosystem/${effect.ecosystem}`;
  return effect.kind === "enqueue" ? `queue/${effect.queue}` : effect.kind;
}

function readPendingEffect(text: string): PendingEffect {
  const stored: unknown = JSON.parse(text);
  if (!isPendingEffect(stored)) throw new TypeError("an outbox holds something that is no effect");
  return pruneDeep(stored);
}

const KINDS: readonly unknown[] = [
  "enqueue",
  "webhook",
  "maintenance",
  "forward",
  "answer",
  "limit",
] satisfies PendingEffect["effect"]["kind"][];

function isPendingEffect(value: unknown): value is PendingEffect {
  if (typeof value !== "object" || value === null) return false;
  const { id, effect, cause, trace, depth, rule } = value as Record<string, unknown>;
  const named = [id, cause, trace, rule].every((field) => typeof field === "string") && typeof depth === "number";
  return named && KINDS.includes((effect as { kind?: unknown } | null)?.kind);
}
