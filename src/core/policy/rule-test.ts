import * as z from "zod";
import type { FieldError } from "../problem/field-error.ts";
import { fieldErrors } from "../problem/field-errors.ts";
import { admitSignal } from "../signals/admit.ts";
import type { Signal } from "../signals/signal.ts";
import { formatTimestamp, parseTimestamp } from "../signals/timestamp.ts";
import { durationMs } from "./duration.ts";
import type { Effect } from "./effect.ts";
import type { Rule } from "./rule.ts";
import { type SimulatedDecision, Simulation } from "./simulation.ts";

/** A Monday morning: rules with mute windows want a day that one knows. */
const START = "2026-01-05T09:00:00.000Z";
const Offset = z.string().refine((text) => text === "0" || durationMs(text) !== undefined, {
  message: "give a time since the start, such as 0s, 90s, 10m, 2h",
});
const anyFields = z.record(z.string(), z.unknown());
/** In an expectation: which rule, and when, where that matters. */
const about = { rule: z.string().optional(), at: Offset.optional() };

const Given = z.strictObject({
  at: Offset.default("0s"),
  signal: z.string(),
  facts: anyFields.default({}),
  source: z.string().default("test"),
  id: z.string().optional(),
  cause: z.string().optional(),
});

/** One thing that is expected. Of facts, payloads and bodies only what is named has to be so. */
const Expected = z
  .strictObject({
    ...about,
    emit: z.strictObject({ signal: z.string(), facts: anyFields.default({}) }).optional(),
    enqueue: z
      .strictObject({
        queue: z.string().optional(),
        recipient: z.string().optional(),
        type: z.string().optional(),
        priority: z.int().optional(),
        task_id: z.string().optional(),
        payload: anyFields.default({}),
      })
      .optional(),
    webhook: z.strictObject({ endpoint: z.string(), body: anyFields.default({}) }).optional(),
    maintenance: z.strictObject({ enabled: z.boolean(), reason: z.string().nullable().optional() }).optional(),
    /** Part of the reason; an empty text: any. */
    suppressed: z.string().optional(),
    failed: z.string().optional(),
  })
  .refine((expected) => kindsOf(expected).length === 1, {
    message: "name one of emit, enqueue, webhook, maintenance, suppressed, failed",
  });
type Expected = z.output<typeof Expected>;

const KINDS = ["emit", "enqueue", "webhook", "maintenance", "suppressed", "failed"] as const;

function kindsOf(expected: Record<string, unknown>): (typeof KINDS)[number][] {
  return KINDS.filter((kind) => expected[kind] !== undefined);
}

const Case = z.strictObject({
  name: z.string().min(1),
  start: z
    .string()
    .refine((text) => parseTimestamp(text) !== undefined, { message: "give RFC 3339, such as 2026-01-05T09:00:00Z" })
    .default(START),
  given: z.array(Given).min(1),
  /** What a model is taken to answer, by the id of the rule that asks; without it, the rule's fallback. */
  answers: z.record(z.string(), z.string()).default({}),
  /** How long time goes on after the start, so that what is expected can be too late. */
  until: Offset.optional(),
  /**
   * Every effect, in its order; and what was held back, where that matters. A rule that fails without being named here
   * fails the case.
   */
  then: z.array(Expected),
});

/** A file of cases that users keep beside their rules. */
export const RuleTestFile = z.strictObject({
  /** Files of rules, seen from this one; `built-in`: the rules that every ecosystem starts with. */
  rules: z.union([z.string().transform((file) => [file]), z.array(z.string()).min(1)]),
  cases: z.array(Case).min(1),
});
export type RuleTestCase = z.output<typeof Case>;

/** One line of how what came differs from what was expected. */
export interface Deviation {
  /** `missing`: expected and not there; `unexpected`: there and not expected. */
  readonly kind: "missing" | "unexpected";
  readonly text: string;
}

export interface CaseResult {
  readonly name: string;
  readonly ok: boolean;
  /** What was expected and what came, in order; those that agree have no kind. */
  readonly lines: readonly { readonly kind: "same" | Deviation["kind"]; readonly text: string }[];
}

/** Signals of a case as the log would hold them. @returns what is wrong with them instead, with pointers into the case */
export function historyOf({ given, start }: RuleTestCase): Signal[] | FieldError[] {
  const startMs = parseTimestamp(start) ?? 0;
  const errors: FieldError[] = [];
  const signals = given.map(({ at, id, ...input }, place): Signal => {
    const atMs = startMs + (durationMs(at) ?? 0);
    const admitted = admitSignal({ ...input, ...(id === undefined ? {} : { id }) }, `/given/${place}`);
    if (!admitted.ok) errors.push(...admitted.errors);
    const time = formatTimestamp(atMs);
    const { cause, ...rest } = input;
    return {
      ...{ seq: place + 1, id: id ?? `given.${place + 1}`, ecosystem: "test", timestamp: time, received_at: time },
      ...rest,
      ...(cause === undefined ? {} : { cause }),
    };
  });
  for (const [place, signal] of signals.entries()) {
    const before = signals[place - 1];
    if (before !== undefined && signal.received_at < before.received_at) {
      errors.push({ pointer: `/given/${place}/at`, message: "it is earlier than the signal before it" });
    }
  }
  return errors.length > 0 ? errors : signals;
}

/** @throws InvalidRule */
export function runCase(rules: readonly Rule[], one: RuleTestCase, history: readonly Signal[]): CaseResult {
  const simulation = new Simulation(rules, { answers: one.answers });
  const decisions = history.flatMap((signal) => simulation.take(signal));
  const startMs = parseTimestamp(one.start) ?? 0;
  if (one.until !== undefined) decisions.push(...simulation.pass(startMs + (durationMs(one.until) ?? 0)));
  const lines = compare(one.then, eventsOf(decisions, startMs));
  return { name: one.name, ok: lines.every(({ kind }) => kind === "same"), lines };
}

/** Something that came of a case. */
interface Event {
  readonly rule: string;
  readonly afterMs: number;
  readonly kind: (typeof KINDS)[number];
  readonly effect?: Effect;
  readonly reason?: string;
}

function eventsOf(decisions: readonly SimulatedDecision[], startMs: number): Event[] {
  return decisions.flatMap(({ rule, at, outcome, reason, effects }): Event[] => {
    const shared = { rule, afterMs: Date.parse(at) - startMs };
    const done = effects.map((effect): Event => ({ ...shared, kind: effect.kind, effect }));
    return outcome === "fired"
      ? done
      : [{ ...shared, kind: outcome, ...(reason === undefined ? {} : { reason }) }, ...done];
  });
}

function compare(expected: readonly Expected[], events: readonly Event[]): CaseResult["lines"] {
  const lines: CaseResult["lines"][number][] = [];
  let next = 0;
  for (const one of expected) {
    // Held back without being asked about: passed over. Everything else has its place.
    const found = events.findIndex((event, place) => place >= next && matches(one, event));
    const between = events.slice(next, found < 0 ? next : found).filter(counts);
    if (found < 0) lines.push({ kind: "missing", text: describeExpected(one) });
    else {
      for (const event of between) lines.push({ kind: "unexpected", text: describeEvent(event) });
      lines.push({ kind: "same", text: describeEvent(events[found] as Event) });
      next = found + 1;
    }
  }
  for (const event of events.slice(next).filter(counts)) lines.push({ kind: "unexpected", text: describeEvent(event) });
  return lines;
}

const counts = ({ kind }: Event) => kind !== "suppressed";

function matches(expected: Expected, event: Event): boolean {
  const [kind] = kindsOf(expected);
  if (kind !== event.kind) return false;
  if (expected.rule !== undefined && expected.rule !== event.rule) return false;
  // What is too late is told of a millisecond after the last at which it would have been in time.
  if (expected.at !== undefined && Math.abs((durationMs(expected.at) ?? 0) - event.afterMs) > 1) return false;
  if (kind === "suppressed" || kind === "failed") return (event.reason ?? "").includes(expected[kind] ?? "");
  return event.effect !== undefined && contains(event.effect, wantedOf(expected));
}

/** The expectation in the words of an effect. */
function wantedOf({ emit, enqueue, webhook, maintenance }: Expected): Record<string, unknown> {
  const { task_id, ...task } = enqueue ?? {};
  const wanted = {
    ...emit,
    ...task,
    ...(task_id === undefined ? {} : { taskId: task_id }),
    ...webhook,
    ...maintenance,
  };
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
}

/** Whether `value` has everything that `part` names, at any depth; lists have to be equal. */
function contains(value: unknown, part: unknown): boolean {
  if (typeof part !== "object" || part === null || Array.isArray(part)) {
    return JSON.stringify(value) === JSON.stringify(part);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.entries(part).every(([name, wanted]) => contains((value as Record<string, unknown>)[name], wanted));
}

function describeExpected(expected: Expected): string {
  const [kind = "emit"] = kindsOf(expected);
  const of = expected.rule === undefined ? "" : ` by ${expected.rule}`;
  const at = expected.at === undefined ? "" : `at ${expected.at}: `;
  const what = kind === "suppressed" || kind === "failed" ? expected[kind] : JSON.stringify(expected[kind]);
  return `${at}${kind} ${what === "" ? "for any reason" : what}${of}`;
}

function describeEvent({ kind, effect, reason, rule, afterMs }: Event): string {
  const { kind: _, ...fields } = effect ?? { kind };
  const what = effect === undefined ? (reason ?? "") : JSON.stringify(fields);
  return `at ${afterMs / 1_000}s: ${kind} ${what} by ${rule}`;
}

/** @returns what is wrong with a file of cases, with pointers into it */
export function readTestFile(
  document: unknown,
):
  | { readonly ok: true; readonly file: z.output<typeof RuleTestFile> }
  | { readonly ok: false; readonly errors: FieldError[] } {
  const parsed = RuleTestFile.safeParse(document);
  return parsed.success
    ? { ok: true, file: parsed.data }
    : { ok: false, errors: fieldErrors(parsed.error.issues, "", RuleTestFile) };
}
