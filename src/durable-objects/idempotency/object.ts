import { KEEP_ANSWERS_MS, type KeyedCall, type Settled, type Unkept } from "../../core/idempotency/api.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import type { Schema } from "../shell/schema.ts";
import { answersErasure } from "./erasure.ts";
import { RunningKey } from "./running-key.ts";

/** Answers that are kept at most, and the characters of all of them; whichever limit is reached first. */
const KEEP = 100_000;
const KEEP_CHARS = 500_000_000;
/** What is too much is deleted after so many new answers. */
const TRIM_EVERY = 500;

interface Row extends Record<string, SqlStorageValue> {
  fingerprint: string;
  at_ms: number;
  status: number;
  type: string | null;
  body: string;
  unkept: Unkept | null;
}

/** What becomes of a request with a key. */
export type Beginning =
  | { readonly answered: Settled }
  /** The same request runs. */
  | { readonly running: true }
  /** The key is that of another request. */
  | { readonly taken: true }
  | { readonly held: RunningKey };

/**
 * Answers to requests with an `Idempotency-Key` of an ecosystem, or, under the name `*`, of the deployment. A row is written
 * when a request has had its effect. Answers stay where they are: no copy of an ecosystem has answered anything.
 *
 * Table: `answers(key, owner, fingerprint, at_ms, status, type, body, unkept)`.
 */
export class IdempotencyKeys extends EcosystemObject<object> {
  static override readonly schema: Schema = {
    of: "IdempotencyKeys",
    steps: [],
    copy: { leftOut: ["answers"] },
    erasure: answersErasure,
  };
  /** Fingerprints of the requests that run, by their keys. Held by their Workers: this object does not sleep meanwhile. */
  readonly #running = new Map<string, string>();
  #sinceTrim = TRIM_EVERY;

  constructor(ctx: DurableObjectState, env: object) {
    super(ctx, env);
    this.sql.exec(
      `CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, owner TEXT NOT NULL, fingerprint TEXT NOT NULL,
         at_ms INTEGER NOT NULL, status INTEGER NOT NULL, type TEXT, body TEXT NOT NULL, unkept TEXT) WITHOUT ROWID`,
    );
  }

  begin({ key, owner, fingerprint }: KeyedCall): Beginning {
    const running = this.#running.get(key);
    if (running !== undefined) return running === fingerprint ? { running: true } : { taken: true };
    const [row] = this.sql
      .exec<Row>("SELECT fingerprint, at_ms, status, type, body, unkept FROM answers WHERE key = ?", key)
      .toArray();
    if (row !== undefined && row.at_ms > Date.now() - KEEP_ANSWERS_MS)
      return row.fingerprint === fingerprint ? { answered: answerIn(row) } : { taken: true };
    this.#running.set(key, fingerprint);
    let over = false;
    const release = () => {
      if (!over) this.#running.delete(key);
      over = true;
    };
    const settle = (settled: Settled) => {
      if (over) return;
      this.#keep({ key, owner, fingerprint }, settled);
      release();
    };
    return { held: new RunningKey(settle, release) };
  }

  #keep({ key, owner, fingerprint }: KeyedCall, settled: Settled): void {
    const nowMs = Date.now();
    const answer =
      "unkept" in settled ? [0, null, "", settled.unkept] : [settled.status, settled.type, settled.body, null];
    this.sql.exec(
      "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      ...[key, owner, fingerprint, nowMs, ...answer],
    );
    if (++this.#sinceTrim >= TRIM_EVERY) this.#trim(nowMs);
  }

  /** Of too many answers the oldest of the token go first that has the most: nobody drives out those of others. */
  #trim(nowMs: number): void {
    this.#sinceTrim = 0;
    this.sql.exec("DELETE FROM answers WHERE at_ms <= ?", nowMs - KEEP_ANSWERS_MS);
    for (;;) {
      const { count, chars } = this.sql
        .exec<{ count: number; chars: number }>(
          "SELECT count(*) AS count, ifnull(sum(length(body)), 0) AS chars FROM answers",
        )
        .one();
      if (count <= KEEP && chars <= KEEP_CHARS) return;
      this.sql.exec(
        `DELETE FROM answers WHERE key IN (SELECT key FROM answers WHERE owner =
           (SELECT owner FROM answers GROUP BY owner ORDER BY ${chars > KEEP_CHARS ? "sum(length(body))" : "count(*)"} DESC, owner LIMIT 1)
           ORDER BY at_ms, key LIMIT ?)`,
        TRIM_EVERY,
      );
    }
  }
}

const answerIn = ({ unkept, status, type, body }: Row): Settled =>
  unkept === null ? { status, type, body } : { unkept };
