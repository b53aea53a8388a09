import type { LabelledCounts } from "../../core/collections/labelled-counts.ts";
import type { Decision, DecisionsPage, DecisionsQuery } from "../../core/policy/decision.ts";
import { DECISIONS_OF_SIGNAL } from "../../core/policy/decision-place.ts";
import { answeredDecision, decisionOf, type ImportRecord, importDecision } from "../../core/policy/decision-record.ts";
import type { RuleOutcome } from "../../core/policy/rule-outcome.ts";
import type { SettledRuleQuestion } from "../../core/policy/rule-question.ts";
import { readStoredDecision } from "../../core/policy/stored.ts";
import type { ExportOutbox } from "../shell/export-outbox.ts";
import { readableRows } from "../shell/readable-rows.ts";
import type { LateExpectations } from "./late-expectations.ts";

/** Number of stored decisions, and how long they are stored; whichever limit is reached first deletes. */
const KEEP = 20_000;
const KEEP_MS = 30 * 86_400_000;
/** Old decisions are deleted after so many new ones. */
const PRUNE_EVERY = 500;
const PLACES = DECISIONS_OF_SIGNAL;

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
  readonly #counts: () => LabelledCounts;
  #sincePruned = PRUNE_EVERY;
  #newestMs = 0;

  /**
   * @param exports - gets the number of each decision whose question, if it asks one, is settled
   * @param counts - for metrics, written with the transaction that a decision belongs to
   */
  constructor(
    sql: SqlStorage,
    late: Pick<LateExpectations, "note">,
    exports: Pick<ExportOutbox, "add">,
    counts: () => LabelledCounts,
  ) {
    this.#sql = sql;
    this.#exports = exports;
    this.#late = late;
    this.#counts = counts;
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
    const place = this.#addAt(outcome.origin.seq, decisionOf(outcome, ids), outcome.atMs);
    if (outcome.question === undefined) this.#exports.add([String(place)]);
    this.#late.note(outcome);
    this.#counts().add("ganglion_decisions", [outcome.rule.id, outcome.outcome]);
    if (outcome.by === "time") this.#counts().add("ganglion_expectations_late");
    return `d${place}`;
  }

  /** @param seq - the last signal before the import */
  addImport(record: ImportRecord, seq: number): void {
    this.#addAt(seq, importDecision(record, seq), record.atMs);
  }

  /** @returns its place, after the other decisions on the signal `seq` */
  #addAt(seq: number, decision: Omit<Decision, "id">, atMs: number): number {
    const first = seq * PLACES;
    const { last } = this.#sql
      .exec<{ last: number | null }>(
        "SELECT max(place) AS last FROM decided WHERE place >= ? AND place < ?",
        first,
        first + PLACES - 1,
      )
      .one();
    const place = last === null ? first : last + 1;
    this.#write(place, decision);
    this.#newestMs = atMs;
    this.#sincePruned++;
    return place;
  }

  /** Adds the answer to a decision. A decision that was deleted meanwhile stays deleted. */
  answer(settled: SettledRuleQuestion, ids: readonly string[]): void {
    const place = placeOf(settled.open.question.id);
    const [row] = this.#sql.exec<Row>("SELECT place, body FROM decided WHERE place = ?", place);
    if (row === undefined) return;
    const { id: _, ...decision } = readRow(row);
    this.#write(place, answeredDecision(decision, settled, ids));
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
    const read = [...readableRows("decisions", rows, readRow)];
    const decisions = seq === undefined ? read : read.filter(isOnSignal);
    const last = rows.at(-1);
    return { decisions, next: rows.length < limit || last === undefined ? null : `d${last.place}` };
  }

  /** The decision of a number that was exported, as `<id> <body>`; `undefined`: it was deleted meanwhile. */
  exported(place: string): string | undefined {
    const [row] = this.#sql.exec<Row>("SELECT place, body FROM decided WHERE place = ?", Number(place));
    return row === undefined ? undefined : `d${row.place} ${row.body}`;
  }

  /** Decisions on the signals with these sequence numbers. One statement finds those of a thousand signals. */
  on(seqs: readonly number[], limit: number): Decision[] {
    const rows = this.#sql.exec<Row>(
      `SELECT place, body FROM json_each(?1) AS wanted CROSS JOIN decided
         ON place >= wanted.value * ${PLACES} AND place < (wanted.value + 1) * ${PLACES}`,
      JSON.stringify(seqs),
    );
    const found: Decision[] = [];
    for (const decision of readableRows("decisions", rows, readRow)) {
      if (found.length >= limit) break;
      if (isOnSignal(decision)) found.push(decision);
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

/** An import stands beside the decisions on the signal before it, and is none of them. */
const isOnSignal = ({ imported }: Decision): boolean => imported === undefined;

function placeOf(id: string): number {
  const place = Number(id.replace(/^d/, ""));
  return Number.isSafeInteger(place) ? place : Number.MAX_SAFE_INTEGER;
}

function readRow({ place, body }: Row): Decision {
  return readStoredDecision(`d${place}`, body);
}
