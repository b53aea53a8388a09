import { BUILT_IN_RULES } from "../core/policy/built-in-rules.ts";
import type { Decision } from "../core/policy/decision.ts";
import { type InFlight, PolicyEngine, type Verdict } from "../core/policy/engine.ts";
import type { Rule } from "../core/policy/rule.ts";
import type { Signal } from "../core/signals/signal.ts";
import { traceOf } from "../core/signals/trace.ts";
import type { Environment } from "./environment.ts";
import { type Outgoing, Projection } from "./projection/projection.ts";

const SOURCE = "ganglion/policy";
/** Decisions kept; older ones go a thousand at a time. */
const KEEP_DECISIONS = 20_000;

export interface DecisionsQuery {
  readonly limit: number;
  /** Decisions older than this one. */
  readonly after?: string;
  readonly rule?: string;
}

/** The rules of an ecosystem, what they have under way, and what they have decided (R23). */
export class PolicyState extends Projection {
  readonly #engine = new PolicyEngine(BUILT_IN_RULES);

  constructor(ctx: DurableObjectState, env: Environment) {
    super(ctx, env, "policy");
    const { sql } = this;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS in_flight (rule TEXT, key TEXT, body TEXT NOT NULL, PRIMARY KEY (rule, key)) WITHOUT ROWID",
    );
    sql.exec(
      "CREATE TABLE IF NOT EXISTS decisions (number INTEGER PRIMARY KEY, rule TEXT NOT NULL, body TEXT NOT NULL)",
    );
    this.load();
  }

  /** Newest first. */
  decisions({ limit, after, rule }: DecisionsQuery): { decisions: Decision[]; next: string | null } {
    const before = after === undefined ? Number.MAX_SAFE_INTEGER : Number(after.replace(/^d/, ""));
    const rows = [
      ...this.sql.exec<{ number: number; body: string }>(
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

  policies(): readonly Rule[] {
    return BUILT_IN_RULES;
  }

  protected override take(signal: Signal, outgoing: Outgoing): void {
    const { verdicts, started, ended } = this.#engine.take(signal);
    const { sql } = this;
    for (const { rule, key } of ended) sql.exec("DELETE FROM in_flight WHERE rule = ? AND key = ?", rule, key);
    for (const flight of started) {
      sql.exec(
        "INSERT OR REPLACE INTO in_flight (rule, key, body) VALUES (?, ?, ?)",
        flight.rule,
        flight.key,
        JSON.stringify(flight),
      );
    }
    for (const verdict of verdicts) {
      if (verdict.outcome === "failed") outgoing.bury(`${verdict.rule.id}: ${verdict.reason}`, verdict.rule.id);
      const effects = verdict.emissions.map((emission) =>
        outgoing.emit({
          ...emission,
          source: SOURCE,
          timestampMs: Date.parse(signal.received_at),
          cause: signal.id,
          trace: traceOf(`${verdict.rule.id}:${signal.id}:${emission.signal}`, signal),
          depth: (signal.depth ?? 0) + 1,
        }),
      );
      // A decision is recorded once: what is derived again from the log was decided before.
      if (!this.replaying(signal.seq)) this.#record(verdict, signal, effects);
    }
  }

  protected override store(): void {
    const { sql } = this;
    const [newest] = sql.exec<{ number: number }>("SELECT number FROM decisions ORDER BY number DESC LIMIT 1");
    if (newest === undefined || newest.number <= KEEP_DECISIONS || newest.number % 1_000 !== 0) return;
    sql.exec("DELETE FROM decisions WHERE number <= ?", newest.number - KEEP_DECISIONS);
  }

  protected override clear(): void {
    this.sql.exec("DELETE FROM in_flight");
  }

  protected override load(): void {
    const rows = [...this.sql.exec<{ body: string }>("SELECT body FROM in_flight")];
    this.#engine.restore(rows.map(({ body }) => JSON.parse(body) as InFlight));
  }

  protected override settled(): void {
    // Rules act on signals alone; nothing happens by the passing of time.
  }

  #record(verdict: Verdict, signal: Signal, effects: readonly string[]): void {
    const decision: Omit<Decision, "id"> = {
      rule: verdict.rule.id,
      rule_version: verdict.rule.version,
      signal: { seq: signal.seq, id: signal.id, signal: signal.signal },
      decided_at: signal.received_at,
      outcome: verdict.outcome,
      ...(verdict.reason === undefined ? {} : { reason: verdict.reason }),
      values: verdict.values,
      effects,
    };
    this.sql.exec("INSERT INTO decisions (rule, body) VALUES (?, ?)", verdict.rule.id, JSON.stringify(decision));
  }
}
