import { formatTimestamp } from "../signals/timestamp.ts";
import type { ResolvedQuestion } from "./ask.ts";
import type { Asked, Decision, ImportedMark } from "./decision.ts";
import type { Effect } from "./effect.ts";
import type { RuleOutcome } from "./rule-outcome.ts";
import type { SettledRuleQuestion } from "./rule-question.ts";

/** A decision as it is recorded; its id follows from its place. */
export type DecisionRecord = Omit<Decision, "id">;

/** The signal by which the log knows of an import. */
export const STATE_IMPORTED = "Q_POLICY_STATE_IMPORTED";

/** Imported state that holds a rule back. */
export interface ImportRecord {
  readonly rule: string;
  readonly version: number;
  /** Name of the token. */
  readonly by: string;
  readonly marks: readonly ImportedMark[];
  /** Id of the signal that says so. */
  readonly signal: string;
  readonly atMs: number;
}

/** The record of an import. @param seq - the last signal before the import */
export function importDecision(record: ImportRecord, seq: number): DecisionRecord {
  const { rule, version, by, marks, signal, atMs } = record;
  const [first] = marks;
  const more = marks.length > 1 ? `, and ${marks.length - 1} more` : "";
  return {
    rule,
    rule_version: version,
    signal: { seq, id: signal, signal: STATE_IMPORTED },
    decided_at: formatTimestamp(atMs),
    outcome: "suppressed",
    reason: `imported by ${by}: ${first === undefined ? "" : markText(first)}${more}`,
    values: {},
    effects: [],
    imported: { by, marks },
  };
}

/** The decision with the answer to its question. @param ids - of what the answer caused */
export function answeredDecision(
  decision: DecisionRecord,
  settled: SettledRuleQuestion,
  ids: readonly string[],
): DecisionRecord {
  return {
    ...decision,
    effects: [...decision.effects, ...ids],
    ...causedBy(settled.effects, ids, decision),
    ...(decision.asked === undefined ? {} : { asked: settledOf(decision.asked, settled) }),
  };
}

const MARK_WORDS = { in_flight: "in flight", cooldown: "cooling down", once_per: "fired already" } as const;
const markText = ({ kind, key, since, until }: ImportedMark) =>
  `${MARK_WORDS[kind]}${key === undefined ? "" : ` for ${key}`} since ${since}, until ${until}`;

/** @param ids - of the caused signals, tasks and deliveries, in the order of the effects */
export function decisionOf(decided: RuleOutcome, ids: readonly string[]): DecisionRecord {
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
