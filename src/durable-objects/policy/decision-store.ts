import type { Asked } from "../../core/policy/ask.ts";
import type { AskedOf, Decision, DecisionsPage, DecisionsQuery } from "../../core/policy/decision.ts";
import type { Effect } from "../../core/policy/effect.ts";
import type { RuleOutcome } from "../../core/policy/rule-outcome.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import type { SettledQuestion } from "./questions.ts";

/** Decisions kept, and for how long; the older of the two ends goes. */
const KEEP = 20_000;
const KEEP_MS = 30 * 86_400_000;
/** Old ones are looked for after so many new ones. */
const PRUNE_EVERY = 500;
/** Decisions on one signal at most: as many rules as there may be, and what time and models decide later. */
const PLACES = 4_096;

interface Row {
  [column: string]: SqlStorageValue;
  place: number;
  body: string;
}

/**
 * What rules decided. A row for each decision and no index: its key is the place of the signal in the log, times
 * {@link PLACES}, plus how many decisions on that signal came before. So the decisions on a signal lie together, and
 * are found by where the signal stands.
 */
export class DecisionStore {
  readonly #sql: SqlStorage;
  #sincePruned = PRUNE_EVERY;
  #newestMs = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS decided (place INTEGER PRIMARY KEY, rule TEXT NOT NULL, outcome TEXT NOT NULL,
         decided_ms INTEGER NOT NULL, body TEXT NOT NULL)`,
    );
  }

  /**
   * @param ids - of what came of it, in the order of the verdict's effects
   * @returns the id of the decision
   */
  add(verdict: RuleOutcome, ids: readonly string[]): string {
    const first = verdict.origin.seq * PLACES;
    const { last } = this.#sql
      .exec<{ last: number | null }>(
        "SELECT max(place) AS last FROM decided WHERE place >= ? AND place < ?",
        first,
        first + PLACES - 1,
      )
      .one();
    const place = last === null ? first : last + 1;
    this.#write(place, decisionOf(verdict, ids));
    this.#newestMs = verdict.atMs;
    this.#sincePruned++;
    return `d${place}`;
  }

  /** Writes what the question of a decision came to. A decision that is gone already stays gone. */
  answer(settled: SettledQuestion, ids: readonly string[]): void {
    const place = placeOf(settled.open.question.id);
    const [row] = this.#sql.exec<Row>("SELECT place, body FROM decided WHERE place = ?", place);
    if (row === undefined) return;
    const { id: _, ...decision } = readRow(row);
    const { state, choice, why, answer } = settled;
    const { reason, detail, cost_usd, tokens_in, tokens_out, duration_ms } = answer ?? {};
    const asked = {
      ...decision.asked,
      state,
      choice,
      why,
      reason,
      detail,
      cost_usd,
      tokens_in,
      tokens_out,
      duration_ms,
    };
    this.#write(place, {
      ...decision,
      effects: [...decision.effects, ...ids],
      ...doneBy(settled.effects, ids, decision),
      // What is undefined does not come to stand in the row.
      asked: asked as AskedOf,
    });
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
    const decisions = rows.map(readRow);
    const last = decisions.at(-1);
    return { decisions, next: decisions.length < limit || last === undefined ? null : last.id };
  }

  /** Decisions on these signals, by their places in the log. */
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
      for (const row of rows) found.push(readRow(row));
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

  /** Drops what is too old, now and then. */
  tidy(): void {
    if (this.#sincePruned < PRUNE_EVERY) return;
    this.#sincePruned = 0;
    this.#sql.exec(
      "DELETE FROM decided WHERE place <= (SELECT place FROM decided ORDER BY place DESC LIMIT 1 OFFSET ?)",
      KEEP,
    );
    // By place, which follows time closely: old rows lie at the front, and the first young one ends the search.
    this.#sql.exec(
      `DELETE FROM decided WHERE place < (SELECT coalesce(min(place), 0) FROM
         (SELECT place FROM decided WHERE decided_ms >= ? ORDER BY place LIMIT 1))`,
      this.#newestMs - KEEP_MS,
    );
  }
}

function decisionOf(verdict: RuleOutcome, ids: readonly string[]): Omit<Decision, "id"> {
  const { rule, origin, atMs, outcome, by, reason, values, effects } = verdict;
  const { seq, id, signal } = origin;
  const { asked } = verdict;
  return {
    ...{ rule: rule.id, rule_version: rule.version, signal: { seq, id, signal } },
    ...{ decided_at: formatTimestamp(atMs), outcome, ...(by === "time" ? { by } : {}) },
    ...{ ...(reason === undefined ? {} : { reason }), values },
    effects: ids,
    ...doneBy(effects, ids),
    ...(asked === undefined ? {} : { asked: askedOf(asked) }),
  };
}

function askedOf({ model, prompt, choices }: Asked): AskedOf {
  return { model, prompt, choices: choices.map(({ name }) => name), state: "asked" };
}

/** Which of the effects are tasks, and which calls of webhooks; after what was done before. */
function doneBy(
  effects: readonly Effect[],
  ids: readonly string[],
  before: Pick<Decision, "tasks" | "deliveries"> = {},
): Pick<Decision, "tasks" | "deliveries"> {
  const tasks = effects.flatMap((effect, place) =>
    effect.kind === "enqueue" ? [{ task_id: effect.taskId ?? ids[place] ?? "", queue: effect.queue }] : [],
  );
  const deliveries = effects.flatMap((effect, place) =>
    effect.kind === "webhook" ? [{ delivery_id: ids[place] ?? "", endpoint: effect.endpoint }] : [],
  );
  const all = { tasks: [...(before.tasks ?? []), ...tasks], deliveries: [...(before.deliveries ?? []), ...deliveries] };
  return {
    ...(all.tasks.length === 0 ? {} : { tasks: all.tasks }),
    ...(all.deliveries.length === 0 ? {} : { deliveries: all.deliveries }),
  };
}

function placeOf(id: string): number {
  const place = Number(id.replace(/^d/, ""));
  return Number.isSafeInteger(place) ? place : Number.MAX_SAFE_INTEGER;
}

function readRow({ place, body }: Row): Decision {
  return { id: `d${place}`, ...(JSON.parse(body) as Omit<Decision, "id">) };
}
