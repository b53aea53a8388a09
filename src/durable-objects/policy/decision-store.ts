import type { ResolvedQuestion } from "../../core/policy/ask.ts";
import type { Asked, Decision, DecisionsPage, DecisionsQuery } from "../../core/policy/decision.ts";
import type { Effect } from "../../core/policy/effect.ts";
import type { RuleOutcome } from "../../core/policy/rule-outcome.ts";
import type { SettledRuleQuestion } from "../../core/policy/rule-question.ts";
import { readStoredDecision } from "../../core/policy/stored.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import type { ExportOutbox } from "../shell/export-outbox.ts";
import { readableRows } from "../shell/readable-rows.ts";
import type { LateExpectations } from "./late-expectations.ts";

/** Number of stored decisions, and how long they are stored; whichever limit is reached first deletes. */
const KEEP = 20_000;
const KEEP_MS = 30 * 86_400_000;
/** Old decisions are deleted after so many new ones. */
const PRUNE_EVERY = 500;
/** The maximum number of decisions on one signal: all rules, with their time-outs. */
const PLACES = 4_096;

/** The ids of effects end in the sequence number of the signal, the name of the rule and the place of the effect. */
const EFFECT_OF = /\.(\d+)\.[^.]+\.\d+$/;

interface Row {
  [column: string]: SqlStorageValue;
  place: number;
  body: string;
}

/**
 * Decisions of rules. A row for each decision and no index: its key is the sequence number of the signal, times
 * {@link PLACES}, plus the number of earlier decisions on that signal. So the decisions on a signal lie together and are
 * found by its sequence number.
 */
export class DecisionStore {
  readonly #sql: SqlStorage;
  readonly #late: Pick<LateExpectations, "note">;
  readonly #exports: Pick<ExportOutbox, "add">;
  #sincePruned = PRUNE_EVERY;
  #newestMs = 0;

  /** @param exports - gets the number of each decision whose question, if it asks one, is settled */
  constructor(sql: SqlStorage, late: Pick<LateExpectations, "note">, exports: Pick<ExportOutbox, "add">) {
    this.#sql = sql;
    this.#exports = exports;
    this.#late = late;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS decided (place INTEGER PRIMARY KEY, rule TEXT NOT NULL, outcome TEXT NOT NULL,
         decided_ms INTEGER NOT NULL, body TEXT NOT NULL)`,
    );
  }

  /**
   * @param ids - ids of the caused signals, tasks and deliveries, in the order of the effects
   * @returns the id of the decision
   */
  add(outcome: RuleOutcome, ids: readonly string[]): string {
    const first = outcome.origin.seq * PLACES;
    const { last } = this.#sql
      .exec<{ last: number | null }>(
        "SELECT max(place) AS last FROM decided WHERE place >= ? AND place < ?",
        first,
        first + PLACES - 1,
      )
      .one();
    const place = last === null ? first : last + 1;
    this.#write(place, decisionOf(outcome, ids));
    if (outcome.question === undefined) this.#exports.add([String(place)]);
    this.#late.note(outcome);
    this.#newestMs = outcome.atMs;
    this.#sincePruned++;
    return `d${place}`;
  }

  /** Adds the answer to a decision. A decision that was deleted meanwhile stays deleted. */
  answer(settled: SettledRuleQuestion, ids: readonly string[]): void {
    const place = placeOf(settled.open.question.id);
    const [row] = this.#sql.exec<Row>("SELECT place, body FROM decided WHERE place = ?", place);
    if (row === undefined) return;
    const { id: _, ...decision } = readRow(row);
    this.#write(place, {
      ...decision,
      effects: [...decision.effects, ...ids],
      ...causedBy(settled.effects, ids, decision),
      ...(decision.asked === undefined ? {} : { asked: settledOf(decision.asked, settled) }),
    });
    this.#exports.add([String(place)]);
  }

  /** Notes that a message of a decision went nowhere. A decision that was deleted meanwhile stays deleted. */
  undelivered(delivery: string, reason: string): void {
    const [, seq] = EFFECT_OF.exec(delivery) ?? [];
    if (seq === undefined) return;
    for (const { id, ...decision } of this.on([Number(seq)], PLACES)) {
      if (decision.deliveries?.some(({ delivery_id }) => delivery_id === delivery) !== true) continue;
      const deliveries = decision.deliveries.map((one) =>
        one.delivery_id === delivery ? { ...one, undelivered: reason } : one,
      );
      this.#write(placeOf(id), { ...decision, deliveries });
    }
  }

  /** Notes that an effect of a decision on the signal `seq` was refused elsewhere. */
  refused(seq: number, effect: string, reason: string): void {
    this.#change(seq, effect, ({ tasks, forwards, ...decision }) => ({
      ...decision,
      ...(tasks && { tasks: tasks.map((one) => (one.task_id === effect ? { ...one, refused: reason } : one)) }),
      ...(forwards && {
        forwards: forwards.map((one) => (one.forward_id === effect ? { ...one, refused: reason } : one)),
      }),
    }));
  }

  /** Notes that a forwarded signal of a decision on the signal `seq` has another id than was thought. */
  renamed(seq: number, before: string, after: string): void {
    this.#change(seq, before, ({ effects, forwards = [], ...decision }) => ({
      ...decision,
      effects: effects.map((id) => (id === before ? after : id)),
      forwards: forwards.map((one) => (one.forward_id === before ? { ...one, forward_id: after } : one)),
    }));
  }

  /** Changes the decision on the signal `seq` that has this effect. One that was deleted meanwhile stays deleted. */
  #change(seq: number, effect: string, change: (decision: Omit<Decision, "id">) => Omit<Decision, "id">): void {
    for (const { id, ...decision } of this.on([seq], PLACES)) {
      const { effects, tasks = [] } = decision;
      if (effects.includes(effect) || tasks.some(({ task_id }) => task_id === effect))
        this.#write(placeOf(id), change(decision));
    }
  }

  /** Newest signal first. The table is bounded, so a filter that finds nothing reads no more than {@link KEEP} rows. */
  list({ limit, after, rule, outcome, seq, sinceMs, untilMs }: DecisionsQuery): DecisionsPage {
    const rows = [
      ...this.#sql.exec<Row>(
        `SELECT place, body FROM decided WHERE place < ?1 AND place >= ?2 AND (?3 IS NULL OR rule = ?3)
           AND (?4 IS NULL OR outcome = ?4) AND decided_ms >= ?5 AND decided_ms < ?6 ORDER BY place DESC LIMIT ?7`,
        Math.min(
          after === undefined ? Number.MAX_SAFE_INTEGER : placeOf(after),
          seq === undefined ? Number.MAX_SAFE_INTEGER : (seq + 1) * PLACES,
        ),
        seq === undefined ? 0 : seq * PLACES,
        rule ?? null,
        outcome ?? null,
        sinceMs ?? 0,
        untilMs ?? Number.MAX_SAFE_INTEGER,
        limit,
      ),
    ];
    const decisions = [...readableRows("decisions", rows, readRow)];
    const last = rows.at(-1);
    return { decisions, next: rows.length < limit || last === undefined ? null : `d${last.place}` };
  }

  /** The decision of a number that was exported, as `<id> <body>`; `undefined`: it was deleted meanwhile. */
  exported(place: string): string | undefined {
    const [row] = this.#sql.exec<Row>("SELECT place, body FROM decided WHERE place = ?", Number(place));
    return row === undefined ? undefined : `d${row.place} ${row.body}`;
  }

  /** Decisions on the signals with these sequence numbers. */
  on(seqs: readonly number[], limit: number): Decision[] {
    const found: Decision[] = [];
    for (const seq of seqs) {
      if (found.length >= limit) break;
      const rows = this.#sql.exec<Row>(
        "SELECT place, body FROM decided WHERE place >= ? AND place < ? LIMIT ?",
        seq * PLACES,
        (seq + 1) * PLACES,
        limit - found.length,
      );
      found.push(...readableRows("decisions", rows, readRow));
    }
    return found;
  }

  #write(place: number, decision: Omit<Decision, "id">): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO decided (place, rule, outcome, decided_ms, body) VALUES (?, ?, ?, ?, ?)",
      place,
      decision.rule,
      decision.outcome,
      Date.parse(decision.decided_at),
      JSON.stringify(decision),
    );
  }

  /** Deletes decisions that are too old, after every so many new ones. */
  tidy(): void {
    if (this.#sincePruned < PRUNE_EVERY) return;
    this.#sincePruned = 0;
    this.#sql.exec(
      "DELETE FROM decided WHERE place <= (SELECT place FROM decided ORDER BY place DESC LIMIT 1 OFFSET ?)",
      KEEP,
    );
    // The key follows time closely: old rows come first, and the first young one ends the search.
    this.#sql.exec(
      `DELETE FROM decided WHERE place < (SELECT coalesce(min(place), 0) FROM
         (SELECT place FROM decided WHERE decided_ms >= ? ORDER BY place LIMIT 1))`,
      this.#newestMs - KEEP_MS,
    );
  }
}

function decisionOf(decided: RuleOutcome, ids: readonly string[]): Omit<Decision, "id"> {
  const { rule, origin, atMs, outcome, by, reason, values, effects, question } = decided;
  return {
    rule: rule.id,
    rule_version: rule.version,
    signal: {
      seq: origin.seq,
      id: origin.id,
      signal: origin.signal,
      ...(origin.trace === undefined ? {} : { trace: origin.trace }),
    },
    decided_at: formatTimestamp(atMs),
    outcome,
    ...(by === "time" ? { by } : {}),
    ...(reason === undefined ? {} : { reason }),
    values,
    effects: ids,
    ...causedBy(effects, ids),
    ...(question === undefined ? {} : { asked: askedOf(question) }),
  };
}

function askedOf({ model, prompt, cutFrom, choices }: ResolvedQuestion): Asked {
  const cut = cutFrom === undefined ? {} : { prompt_cut_from: cutFrom };
  return { model, prompt, ...cut, choices: choices.map(({ name }) => name), state: "asked" };
}

/** Fields that are undefined are left out of the stored row. */
function settledOf(asked: Asked, { open, state, choice, why, answer }: SettledRuleQuestion): Asked {
  return {
    ...asked,
    ...(open.context === undefined ? {} : { context: open.context }),
    state,
    choice,
    why,
    reason: answer?.reason,
    detail: answer?.detail,
    cost_usd: answer?.cost_usd,
    tokens_in: answer?.tokens_in,
    tokens_out: answer?.tokens_out,
    duration_ms: answer?.duration_ms,
  };
}

type Caused = Pick<Decision, "tasks" | "deliveries" | "forwards">;

/** What the effects sent elsewhere, after what an earlier part of the decision sent. */
function causedBy(effects: readonly Effect[], ids: readonly string[], before: Caused = {}): Caused {
  const tasks = effects.flatMap((effect, place) =>
    effect.kind === "enqueue" ? [{ task_id: effect.taskId ?? ids[place] ?? "", queue: effect.queue }] : [],
  );
  const deliveries = effects.flatMap((effect, place) =>
    effect.kind === "webhook" ? [{ delivery_id: ids[place] ?? "", endpoint: effect.endpoint }] : [],
  );
  const forwards = effects.flatMap((effect, place) =>
    effect.kind === "forward"
      ? [{ forward_id: ids[place] ?? "", ecosystem: effect.ecosystem, signal: effect.signal }]
      : [],
  );
  const all = {
    tasks: [...(before.tasks ?? []), ...tasks],
    deliveries: [...(before.deliveries ?? []), ...deliveries],
    forwards: [...(before.forwards ?? []), ...forwards],
  };
  return {
    ...(all.tasks.length === 0 ? {} : { tasks: all.tasks }),
    ...(all.deliveries.length === 0 ? {} : { deliveries: all.deliveries }),
    ...(all.forwards.length === 0 ? {} : { forwards: all.forwards }),
  };
}

function placeOf(id: string): number {
  const place = Number(id.replace(/^d/, ""));
  return Number.isSafeInteger(place) ? place : Number.MAX_SAFE_INTEGER;
}

function readRow({ place, body }: Row): Decision {
  return readStoredDecision(`d${place}`, body);
}
