import type { Decision } from "../../core/policy/decision.ts";
import type { Verdict } from "../../core/policy/verdict.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";

/** Decisions kept; older ones go a thousand at a time. */
const KEEP_DECISIONS = 20_000;

export interface DecisionsQuery {
  readonly limit: number;
  /** Decisions older than this one. */
  readonly after?: string;
  readonly rule?: string;
}

/** What was decided, a row each, newest last. */
export class DecisionStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS decisions (number INTEGER PRIMARY KEY, rule TEXT NOT NULL, body TEXT NOT NULL)",
    );
  }

  /** @param effects - ids of what came of it */
  add({ rule, origin, atMs, outcome, reason, values }: Verdict, effects: readonly string[]): void {
    const { seq, id, signal } = origin;
    const decision: Omit<Decision, "id"> = {
      rule: rule.id,
      rule_version: rule.version,
      signal: { seq, id, signal },
      decided_at: formatTimestamp(atMs),
      outcome,
      ...(reason === undefined ? {} : { reason }),
      values,
      effects,
    };
    this.#sql.exec("INSERT INTO decisions (rule, body) VALUES (?, ?)", rule.id, JSON.stringify(decision));
  }

  /** Newest first. */
  list({ limit, after, rule }: DecisionsQuery): { decisions: Decision[]; next: string | null } {
    const before = after === undefined ? Number.MAX_SAFE_INTEGER : Number(after.replace(/^d/, ""));
    const rows = [
      ...this.#sql.exec<{ number: number; body: string }>(
        "SELECT number, body FROM decisions WHERE number < ? AND (? IS NULL OR rule = ?) ORDER BY number DESC LIMIT ?",
        Number.isFinite(before) ? before : Number.MAX_SAFE_INTEGER,
        rule ?? null,
        rule ?? null,
        limit,
      ),
    ];
    const decisions = rows.map(
      ({ number, body }): Decision => ({ id: `d${number}`, ...(JSON.parse(body) as Omit<Decision, "id">) }),
    );
    const last = decisions.at(-1);
    return { decisions, next: decisions.length < limit || last === undefined ? null : last.id };
  }

  /** Drops what is too old, now and then. */
  tidy(): void {
    const [newest] = this.#sql.exec<{ number: number }>("SELECT number FROM decisions ORDER BY number DESC LIMIT 1");
    if (newest === undefined || newest.number <= KEEP_DECISIONS || newest.number % 1_000 !== 0) return;
    this.#sql.exec("DELETE FROM decisions WHERE number <= ?", newest.number - KEEP_DECISIONS);
  }
}
