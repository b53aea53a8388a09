import type { LabelledCounts } from "../../core/collections/labelled-counts.ts";
import type { DeliveryState, DeliveryView, EndpointDelivery, NewDelivery } from "../../core/webhooks/api.ts";
import type { EndpointState, WaitingDelivery } from "../../core/webhooks/delivery-scheduler.ts";
import { Notes } from "../shell/notes.ts";
import { latestCounts } from "./delivery-counts.ts";

/** A stored endpoint. Its secrets leave the object only in signatures. */
export interface EndpointRow extends Record<string, SqlStorageValue> {
  id: string;
  url: string;
  secret: string;
  old_secret: string | null;
  old_secret_until_ms: number;
  enabled: number;
  gone: number;
  description: string | null;
  created_ms: number;
  failures: number;
  paused_until_ms: number;
  failing_since_ms: number | null;
  last_error: string | null;
  /** JSON of its `EndpointSettings`; null: all have their defaults. */
  settings: string | null;
}

interface DeliveryRow extends Record<string, SqlStorageValue> {
  number: number;
  id: string;
  endpoint: string;
  state: DeliveryState;
  type: string;
  accepted_ms: number;
  attempted_ms: number | null;
  next_ms: number;
  attempts: number;
  status: number | null;
  error: string | null;
  cause: string | null;
  rule: string | null;
}

/** The fields of a stored delivery that sending it, or giving it up, needs. */
export interface StoredMessage {
  readonly type: string;
  /** The text that is signed and sent; `messageOf` built it. */
  readonly message: string;
  readonly cause: string | null;
  readonly rule: string | null;
  /** W3C traceparent. */
  readonly trace: string | null;
  readonly status: number | null;
}

/** The message of a delivery, as it is stored, with the id of the delivery. */
export type SentMessage = Omit<StoredMessage, "status"> & { readonly id: string };

/**
 * Stores endpoints and deliveries. A delivery is one row until it is forgotten: written when it is accepted, after each
 * failed attempt, and when it ends. There is no index: queries about waiting deliveries are answered from memory.
 */
export class WebhookStore {
  readonly #sql: SqlStorage;
  readonly #notes: Notes<"counts">;
  #counts: LabelledCounts;
  #next: number;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS endpoints (id TEXT PRIMARY KEY, url TEXT NOT NULL, secret TEXT NOT NULL, old_secret TEXT,
         old_secret_until_ms INTEGER NOT NULL, enabled INTEGER NOT NULL, gone INTEGER NOT NULL, description TEXT,
         created_ms INTEGER NOT NULL, failures INTEGER NOT NULL, paused_until_ms INTEGER NOT NULL,
         failing_since_ms INTEGER, last_error TEXT, settings TEXT) WITHOUT ROWID`,
    );
    sql.exec(
      `CREATE TABLE IF NOT EXISTS deliveries (number INTEGER PRIMARY KEY, id TEXT NOT NULL, endpoint TEXT NOT NULL,
         state TEXT NOT NULL, type TEXT NOT NULL, message TEXT NOT NULL, accepted_ms INTEGER NOT NULL,
         attempted_ms INTEGER, next_ms INTEGER NOT NULL, attempts INTEGER NOT NULL, status INTEGER, error TEXT, cause TEXT,
         rule TEXT, trace TEXT, counts TEXT)`,
    );
    this.#notes = new Notes(sql);
    this.#next = this.#afterLast();
    this.#counts = latestCounts(this.#sql, this.#notes);
  }

  /** What was counted for metrics, as it is on the disk: each change is written with the row of a delivery. */
  get counts(): LabelledCounts {
    return this.#counts;
  }

  takeNumber(): number {
    return this.#next++;
  }

  /** Reads the next number from the disk again, after a transaction that failed. */
  reload(): void {
    this.#next = this.#afterLast();
    this.#counts = latestCounts(this.#sql, this.#notes);
  }

  endpoints(): EndpointRow[] {
    return this.#sql.exec<EndpointRow>("SELECT * FROM endpoints ORDER BY id").toArray();
  }

  endpoint(id: string): EndpointRow | undefined {
    return this.#sql.exec<EndpointRow>("SELECT * FROM endpoints WHERE id = ?", id).toArray()[0];
  }

  writeEndpoint(row: EndpointRow): void {
    this.#sql.exec(
      `INSERT OR REPLACE INTO endpoints (id, url, secret, old_secret, old_secret_until_ms, enabled, gone, description, created_ms,
         failures, paused_until_ms, failing_since_ms, last_error, settings) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      row.id,
      row.url,
      row.secret,
      row.old_secret,
      row.old_secret_until_ms,
      row.enabled,
      row.gone,
      row.description,
      row.created_ms,
      row.failures,
      row.paused_until_ms,
      row.failing_since_ms,
      row.last_error,
      row.settings,
    );
  }

  writeSettings(endpoint: string, settings: string): void {
    this.#sql.exec("UPDATE endpoints SET settings = ? WHERE id = ?", settings, endpoint);
  }

  writeState(endpoint: string, state: EndpointState, lastError: string | null): void {
    this.#sql.exec(
      `UPDATE endpoints SET enabled = ?, gone = ?, failures = ?, paused_until_ms = ?, failing_since_ms = ?, last_error = ?
         WHERE id = ?`,
      Number(state.enabled),
      Number(state.gone),
      state.failures,
      state.pausedUntilMs,
      state.failingSinceMs,
      lastError,
      endpoint,
    );
  }

  removeEndpoint(id: string): void {
    // The latest counts may be in a row that goes.
    this.#notes.write("counts", JSON.stringify(this.#counts.take()));
    this.#sql.exec("DELETE FROM deliveries WHERE endpoint = ?", id);
    this.#sql.exec("DELETE FROM endpoints WHERE id = ?", id);
  }

  /** All stored deliveries, in the order in which they were accepted. */
  known(): { state: DeliveryState; delivery: WaitingDelivery; attemptedMs: number | null }[] {
    const rows = this.#sql.exec<DeliveryRow>(
      "SELECT number, id, endpoint, state, accepted_ms, attempted_ms, attempts, next_ms FROM deliveries ORDER BY number",
    );
    return [...rows].map(({ number, id, endpoint, state, accepted_ms, attempted_ms, attempts, next_ms }) => ({
      state,
      attemptedMs: attempted_ms,
      delivery: { number, id, endpoint, acceptedMs: accepted_ms, attempts, nextMs: next_ms },
    }));
  }

  /** @param message - empty for a delivery that is not sent */
  add(
    waiting: WaitingDelivery,
    { type, cause, rule, trace }: NewDelivery & { type: string },
    state: DeliveryState,
    message: string,
  ) {
    this.#countEnd(state);
    this.#sql.exec(
      `INSERT INTO deliveries (number, id, endpoint, state, type, message, accepted_ms, next_ms, attempts, cause, rule, trace,
         counts)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      waiting.number,
      waiting.id,
      waiting.endpoint,
      state,
      type,
      message,
      waiting.acceptedMs,
      waiting.nextMs,
      waiting.attempts,
      cause ?? null,
      rule ?? null,
      trace ?? null,
      JSON.stringify(this.#counts.take()),
    );
  }

  message(number: number): StoredMessage | undefined {
    return this.#sql
      .exec<StoredMessage & Record<string, SqlStorageValue>>(
        "SELECT type, message, cause, rule, trace, status FROM deliveries WHERE number = ?",
        number,
      )
      .toArray()[0];
  }

  /** Stores the result of an attempt. The row of an ended delivery drops its message. */
  writeAttempt(
    { number, attempts, nextMs }: WaitingDelivery,
    state: DeliveryState,
    nowMs: number,
    status: number | null,
    error: string | null,
  ): void {
    this.#counts.add("ganglion_webhook_attempts");
    this.#countEnd(state);
    this.#sql.exec(
      `UPDATE deliveries SET state = ?1, attempts = ?2, next_ms = ?3, attempted_ms = ?4, status = ?5, error = ?6,
         message = CASE WHEN ?1 = 'waiting' THEN message ELSE '' END, counts = ?8 WHERE number = ?7`,
      state,
      attempts,
      nextMs,
      nowMs,
      status,
      error,
      number,
      JSON.stringify(this.#counts.take()),
    );
  }

  /** @param counted - the end of the delivery was counted when it was stored */
  giveUp(number: number, error: string, counted = false): void {
    if (!counted) this.#countEnd("failed");
    this.#sql.exec(
      "UPDATE deliveries SET state = 'failed', error = ?, message = '', counts = ? WHERE number = ?",
      error,
      JSON.stringify(this.#counts.take()),
      number,
    );
  }

  /** @returns the state of the last delivery that was accepted under this id */
  stateOf(id: string): { number: number; state: DeliveryState } | undefined {
    return this.#sql
      .exec<{ number: number; state: DeliveryState }>(
        "SELECT number, state FROM deliveries WHERE id = ? ORDER BY number DESC LIMIT 1",
        id,
      )
      .toArray()[0];
  }

  remove(number: number): void {
    this.#sql.exec("DELETE FROM deliveries WHERE number = ?", number);
  }

  /** Newest first. */
  recent(endpoint: string, limit: number): DeliveryView[] {
    return this.#sql
      .exec<DeliveryRow>("SELECT * FROM deliveries WHERE endpoint = ? ORDER BY number DESC LIMIT ?", endpoint, limit)
      .toArray()
      .map(viewOf);
  }

  byNumbers(numbers: readonly number[]): EndpointDelivery[] {
    return this.#sql
      .exec<DeliveryRow>(
        "SELECT * FROM deliveries WHERE number IN (SELECT value FROM json_each(?)) ORDER BY number",
        JSON.stringify(numbers),
      )
      .toArray()
      .map((row) => ({ ...viewOf(row), endpoint: row.endpoint }));
  }

  #countEnd(state: DeliveryState): void {
    if (state !== "waiting") this.#counts.add("ganglion_webhook_deliveries", [state]);
  }

  #afterLast(): number {
    return this.#sql.exec<{ next: number }>("SELECT COALESCE(MAX(number), 0) + 1 AS next FROM deliveries").one().next;
  }
}

const timeOf = (ms: number) => new Date(ms).toISOString();

function viewOf(row: DeliveryRow): DeliveryView {
  const { id, type, state, attempts, accepted_ms, attempted_ms, next_ms, status, error, cause, rule } = row;
  return {
    id,
    type,
    state,
    attempts,
    accepted_at: timeOf(accepted_ms),
    ...(attempted_ms === null ? {} : { attempted_at: timeOf(attempted_ms) }),
    ...(state === "waiting" ? { next_attempt_at: timeOf(next_ms) } : {}),
    ...(status === null ? {} : { last_status: status }),
    ...(error === null ? {} : { last_error: error }),
    ...(cause === null ? {} : { cause }),
    ...(rule === null ? {} : { rule }),
  };
}
