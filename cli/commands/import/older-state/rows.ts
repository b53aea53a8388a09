import type { Policy } from "../../../../src/core/policy/api.ts";
import { checkedMs } from "../../../../src/core/policy/duration.ts";
import { formatTimestamp } from "../../../../src/core/signals/timestamp.ts";

/** What a field says about a rule. Times are milliseconds since the epoch. */
export interface Fact {
  readonly field: string;
  /** For people. */
  readonly means: string;
  readonly kind: "in_flight" | "since" | "triggered" | "ended" | "cooldown" | "dealt_with" | "note";
  readonly rule: Policy | null;
  readonly isOn?: boolean;
  readonly atMs?: number | undefined;
  readonly key?: string | undefined;
  /** As what the rule keeps something that was dealt with. */
  readonly keptAs?: Mark["kind"];
  readonly reason?: string;
}

/** A mark for a rule, as `POST /v1/{eco}/policies/{id}/state` takes it. */
export interface Mark {
  readonly kind: "in_flight" | "fired";
  readonly key: string | undefined;
  readonly sinceMs: number;
  readonly untilMs: number | undefined;
}

/** A field of the file, with what it means here, and the rule that takes it over. */
export interface OlderField {
  readonly field: string;
  readonly means: string;
  readonly rule: string | null;
  readonly mark?: Mark;
  /** Why there is no mark. */
  readonly reason?: string;
}

/** What all fields together say about the work of a rule that keeps nothing apart. */
interface Work {
  readonly isOn: boolean | undefined;
  readonly sinceMs: number | undefined;
  readonly triggeredMs: number | undefined;
  readonly endedMs: number | undefined;
}

/** @param savedMs - when the file was saved: what has no time of its own was so then */
export function rowsOf(facts: readonly Fact[], savedMs: number): OlderField[] {
  return facts.map((fact): OlderField => {
    const { field, means, rule, reason } = fact;
    if (rule === null) return { field, means, rule: null, ...(reason === undefined ? {} : { reason }) };
    const found = markOf(fact, rule, workOf(facts, rule), savedMs);
    return { field, means, rule: rule.id, ...(typeof found === "string" ? { reason: found } : { mark: found }) };
  });
}

function workOf(facts: readonly Fact[], rule: Policy): Work {
  const own = facts.filter((one) => one.rule?.id === rule.id && one.key === undefined);
  const latest = (kind: Fact["kind"]) => {
    const times = own.flatMap((one) => (one.kind === kind && one.atMs !== undefined ? [one.atMs] : []));
    return times.length === 0 ? undefined : Math.max(...times);
  };
  const flags = own.filter(({ kind }) => kind === "in_flight");
  return {
    isOn: flags.length === 0 ? undefined : flags.some(({ isOn }) => isOn === true),
    sinceMs: latest("in_flight") ?? latest("since"),
    triggeredMs: latest("triggered"),
    endedMs: latest("ended"),
  };
}

/** @returns the mark, or why there is none */
function markOf(fact: Fact, rule: Policy, work: Work, savedMs: number): Mark | string {
  const { kind, key, atMs } = fact;
  const { while_in_flight, once_per, cooldown } = rule;
  if (kind === "ended") return "nothing to take over: what has ended holds no rule back";
  if (kind === "dealt_with") {
    return { kind: fact.keptAs ?? "in_flight", key, sinceMs: atMs ?? savedMs, untilMs: undefined };
  }
  if (kind === "in_flight") {
    if (fact.isOn !== true) return "nothing to take over: nothing holds the rule back";
    const sinceMs = atMs ?? (key === undefined ? (work.sinceMs ?? work.triggeredMs) : undefined) ?? savedMs;
    return inFlight(rule, key, sinceMs);
  }
  if (kind === "cooldown") return cooledDown(rule, atMs ?? savedMs, savedMs);
  const sinceMs = atMs ?? savedMs;
  if (kind === "triggered" && cooldown !== undefined)
    return { kind: "fired", key: undefined, sinceMs, untilMs: undefined };
  if (kind === "triggered" && while_in_flight === undefined) {
    return once_per === undefined
      ? "has no equivalent: the rule has neither cooldown nor while_in_flight"
      : `has no equivalent: the rule keeps apart by ${once_per.by}, and the field does not say for what it triggered`;
  }
  // What has begun is in flight until something says that it has ended.
  if (work.isOn === false) return "nothing to take over: the file says that nothing is in flight any more";
  if (work.endedMs !== undefined && work.endedMs >= sinceMs) {
    return `nothing to take over: it ended at ${formatTimestamp(work.endedMs)}`;
  }
  return inFlight(rule, undefined, sinceMs);
}

function inFlight({ while_in_flight }: Policy, key: string | undefined, sinceMs: number): Mark | string {
  if (while_in_flight === undefined) return "has no equivalent: the rule has no while_in_flight";
  if (while_in_flight.by !== undefined && key === undefined) {
    return `has no equivalent: the rule keeps apart by ${while_in_flight.by}, and the field names none`;
  }
  const isKeyed = while_in_flight.by !== undefined;
  return { kind: "in_flight", key: isKeyed ? key : undefined, sinceMs, untilMs: undefined };
}

/** A time before which nothing may be triggered: it began, for all that the file says, when the file was saved. */
function cooledDown({ cooldown, while_in_flight }: Policy, untilMs: number, savedMs: number): Mark | string {
  if (untilMs <= savedMs) return "nothing to take over: it was over when the file was saved";
  if (cooldown !== undefined) {
    // As far back as the rule itself would have begun it, so that the rule does not end it before.
    return { kind: "fired", key: undefined, sinceMs: Math.min(savedMs, untilMs - checkedMs(cooldown)), untilMs };
  }
  if (while_in_flight !== undefined && while_in_flight.by === undefined) {
    return { kind: "in_flight", key: undefined, sinceMs: savedMs, untilMs };
  }
  return "has no equivalent: the rule has no cooldown; give it one, and import the file again";
}
