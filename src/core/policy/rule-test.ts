import * as z from "zod";
import type { FieldError } from "../problem/field-error.ts";
import { fieldErrors } from "../problem/field-errors.ts";
import { admitSignal } from "../signals/admit.ts";
import type { Signal } from "../signals/signal.ts";
import { formatTimestamp, parseTimestamp } from "../signals/timestamp.ts";
import { durationMs } from "../times/duration.ts";
import type { Effect } from "./effect.ts";
import type { Rule } from "./rule.ts";
import type { SimulatedDecision } from "./simulated.ts";
import { finish, Simulation } from "./simulation.ts";

/** A Monday morning: a rule with mute windows needs a known day. */
const START = "2026-01-05T09:00:00.000Z";
const Offset = z.string().refine((text) => text === "0" || durationMs(text) !== undefined, {
  message: "give a time since the start, such as 0s, 90s, 10m, 2h",
});
const anyFields = z.record(z.string(), z.unknown());
/** Fields of every expected event that may be left out: which rule, and when. */
const subject = { rule: z.string().optional(), at: Offset.optional() };

const Given = z.strictObject({
  at: Offset.default("0s"),
  signal: z.string(),
  facts: anyFields.default({}),
  source: z.string().default("test"),
  id: z.string().optional(),
  cause: z.string().optional(),
});

/** One expected event. Of facts, payloads and bodies only the named fields are compared. */
const Expected = z
  .strictObject({
    ...subject,
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
    forward: z
      .strictObject({ ecosystem: z.string(), signal: z.string().optional(), facts: anyFields.default({}) })
      .optional(),
    answer: z
      .strictObject({
        question: z.string().optional(),
        answer: z.string().optional(),
        comment: z.string().nullable().optional(),
      })
      .optional(),
    /** Part of the reason; an empty text: any reason. */
    suppressed: z.string().optional(),
    failed: z.string().optional(),
  })
  .refine((expected) => kindsOf(expected).length === 1, {
    message: "name one of emit, enqueue, webhook, maintenance, forward, answer, suppressed, failed",
  });
type Expected = z.output<typeof Expected>;

const KINDS = ["emit", "enqueue", "webhook", "maintenance", "forward", "answer", "suppressed", "failed"] as const;

function kindsOf(expected: Record<string, unknown>): (typeof KINDS)[number][] {
  return KINDS.filter((kind) => expected[kind] !== undefined);
}

const RuleTestCase = z.strictObject({
  name: z.string().min(1),
  start: z
    .string()
    .refine((text) => parseTimestamp(text) !== undefined, { message: "give RFC 3339, such as 2026-01-05T09:00:00Z" })
    .default(START),
  given: z.array(Given).min(1),
  /** Choices of models, by the id of the rule that asks. Default: the rule's fallback. */
  answers: z.record(z.string(), z.string()).default({}),
  /** How long time passes after the start, so that an expected signal can be too late. */
  until: Offset.optional(),
  /**
   * Every effect, in its order, and suppressed rules where they matter. A rule that fails without being named here fails
   * the case.
   */
  then: z.array(Expected),
});

/** A file of test cases that people keep beside their rules. */
export const RuleTestFile = z.strictObject({
  /** Files of rules, relative to this one; `built-in`: the rules that every ecosystem starts with. */
  rules: z.union([z.string().transform((file) => [file]), z.array(z.string()).min(1)]),
  cases: z.array(RuleTestCase).min(1),
});
export type RuleTestCase = z.output<typeof RuleTestCase>;

interface ResultLine {
  /** `missing`: expected, but did not happen; `unexpected`: happened, but was not expected. */
  readonly kind: "same" | "missing" | "unexpected";
  readonly text: string;
}

export interface CaseResult {
  readonly name: string;
  readonly ok: boolean;
  /** Expected and actual events, in order. */
  readonly lines: readonly ResultLine[];
}

/** The signals of a case as the log would hold them. @returns instead, where they are invalid, errors with pointers into the case */
export function historyOf({ given, start }: RuleTestCase): Signal[] | FieldError[] {
  const startMs = parseTimestamp(start) ?? 0;
  const errors: FieldError[] = [];
  const signals = given.map(({ at, id, ...input }, index): Signal => {
    const atMs = startMs + (durationMs(at) ?? 0);
    const admitted = admitSignal({ ...input, ...(id === undefined ? {} : { id }) }, `/given/${index}`);
    if (!admitted.ok) errors.push(...admitted.errors);
    const time = formatTimestamp(atMs);
    const { cause, ...rest } = input;
    return {
      seq: index + 1,
      id: id ?? `given.${index + 1}`,
      ecosystem: "test",
      timestamp: time,
      received_at: time,
      ...rest,
      ...(cause === undefined ? {} : { cause }),
    };
  });
  for (const [index, signal] of signals.entries()) {
    const before = signals[index - 1];
    if (before !== undefined && signal.received_at < before.received_at) {
      errors.push({
        pointer: `/given/${index}/at`,
        message: "the signal is earlier than the one before: order the signals by time",
      });
    }
  }
  return errors.length > 0 ? errors : signals;
}

/** @throws InvalidRule */
export function runCase(rules: readonly Rule[], testCase: RuleTestCase, history: readonly Signal[]): CaseResult {
  const simulation = new Simulation(rules, { answers: testCase.answers });
  const decisions = history.flatMap((signal) => finish(simulation.process(signal)));
  const startMs = parseTimestamp(testCase.start) ?? 0;
  if (testCase.until !== undefined) {
    decisions.push(...finish(simulation.advanceClock(startMs + (durationMs(testCase.until) ?? 0))));
  }
  const lines = compare(testCase.then, eventsOf(decisions, startMs));
  return { name: testCase.name, ok: lines.every(({ kind }) => kind === "same"), lines };
}

/** An event of a case: an effect, or a rule that was suppressed or failed. */
interface CaseEvent {
  readonly rule: string;
  readonly afterMs: number;
  readonly kind: (typeof KINDS)[number];
  readonly effect?: Effect;
  readonly reason?: string;
}

function eventsOf(decisions: readonly SimulatedDecision[], startMs: number): CaseEvent[] {
  return decisions.flatMap(({ rule, at, outcome, reason, effects }): CaseEvent[] => {
    const shared = { rule, afterMs: Date.parse(at) - startMs };
    const caused = effects.map((effect): CaseEvent => ({ ...shared, kind: effect.kind, effect }));
    return outcome === "fired"
      ? caused
      : [{ ...shared, kind: outcome, ...(reason === undefined ? {} : { reason }) }, ...caused];
  });
}

function compare(expected: readonly Expected[], events: readonly CaseEvent[]): ResultLine[] {
  const lines: ResultLine[] = [];
  let next = 0;
  for (const one of expected) {
    // Suppressed rules that the case does not name are passed over. All other events must come in order.
    const found = events.findIndex((event, index) => index >= next && matches(one, event));
    const between = events.slice(next, found < 0 ? next : found).filter(counts);
    if (found < 0) lines.push({ kind: "missing", text: describeExpected(one) });
    else {
      for (const event of between) lines.push({ kind: "unexpected", text: describeEvent(event) });
      lines.push({ kind: "same", text: describeEvent(events[found] as CaseEvent) });
      next = found + 1;
    }
  }
  for (const event of events.slice(next).filter(counts)) lines.push({ kind: "unexpected", text: describeEvent(event) });
  return lines;
}

const counts = ({ kind }: CaseEvent) => kind !== "suppressed";

function matches(expected: Expected, event: CaseEvent): boolean {
  const [kind] = kindsOf(expected);
  if (kind !== event.kind) return false;
  if (expected.rule !== undefined && expected.rule !== event.rule) return false;
  // A time-out is decided one millisecond after the last moment at which the answer would have been in time.
  if (expected.at !== undefined && Math.abs((durationMs(expected.at) ?? 0) - event.afterMs) > 1) return false;
  if (kind === "suppressed" || kind === "failed") return (event.reason ?? "").includes(expected[kind] ?? "");
  return event.effect !== undefined && contains(event.effect, effectOf(expected));
}

/** The expected event as an effect, reduced to the fields that it names. */
function effectOf({ emit, enqueue, webhook, maintenance, forward, answer }: Expected): Record<string, unknown> {
  const { task_id, ...task } = enqueue ?? {};
  const wanted = {
    ...emit,
    ...task,
    ...(task_id === undefined ? {} : { taskId: task_id }),
    ...webhook,
    ...maintenance,
    ...forward,
    ...answer,
  };
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
}

/** Whether `value` has every field that `part` names, at any depth; lists must be equal. */
function contains(value: unknown, part: unknown): boolean {
  if (typeof part !== "object" || part === null || Array.isArray(part)) {
    return JSON.stringify(value) === JSON.stringify(part);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.entries(part).every(([name, field]) => contains((value as Record<string, unknown>)[name], field));
}

function describeExpected(expected: Expected): string {
  const [kind = "emit"] = kindsOf(expected);
  const by = expected.rule === undefined ? "" : ` by ${expected.rule}`;
  const at = expected.at === undefined ? "" : `at ${expected.at}: `;
  const text = kind === "suppressed" || kind === "failed" ? expected[kind] : JSON.stringify(expected[kind]);
  return `${at}${kind} ${text === "" ? "for any reason" : text}${by}`;
}

function describeEvent({ kind, effect, reason, rule, afterMs }: CaseEvent): string {
  const { kind: _, ...fields } = effect ?? { kind };
  const text = effect === undefined ? (reason ?? "") : JSON.stringify(fields);
  return `at ${afterMs / 1_000}s: ${kind} ${text} by ${rule}`;
}

/** Reads a file of cases. @returns where the file is invalid, errors with pointers into it */
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
