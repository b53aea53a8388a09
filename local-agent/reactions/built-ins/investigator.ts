import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import * as z from "zod";
import { fitsAsJson } from "../../../src/core/reactions/too-large.ts";
import { LIMITS } from "../../../src/core/signals/limits.ts";
import type { Facts } from "../../../src/core/signals/signal.ts";
import { appendLine, objectsFromEnd } from "../../base/files/json-lines.ts";
import { ifThere } from "../../base/files/replace-file.ts";
import { commandFields } from "../command-settings.ts";
import type { Attempt, Outcome } from "../reaction.ts";
import { runForSignal } from "../run-for-signal.ts";
import type { BuiltInContext, BuiltInDefaults, RunAttempt } from "./built-in.ts";
import { passedOn } from "./passed-on.ts";

/**
 * Investigates questions: the command gets the question on standard input and prints its findings as a JSON object,
 * which is appended to the log of investigations and emitted.
 */
export const InvestigatorSettings = z.strictObject({
  built_in: z.literal("investigator"),
  ...commandFields,
  /** The log of investigations: one JSON object a line. */
  log: z.string().min(1).default("curiosity_investigations.jsonl"),
});
type InvestigatorSettings = z.infer<typeof InvestigatorSettings>;

/** Questions come as tasks: a rule at the edge enqueues each question that is new, and one host takes the task. */
export const INVESTIGATOR: BuiltInDefaults = {
  on: { queue: "investigations", recipient: "investigator" },
  completed: "Q_INVESTIGATION_COMPLETE",
  failed: "Q_INVESTIGATION_FAILED",
  passOn: ["question", "question_id", "priority", "gap_name", "gap_category"],
};

/** Checkpoint: the findings, and the length of the log before they were appended. */
const Findings = z.object({
  record: z.looseObject({ signal_id: z.string(), timestamp: z.string() }),
  logBytes: z.int(),
});
type Findings = z.infer<typeof Findings>;

export function investigator(settings: InvestigatorSettings, context: BuiltInContext): RunAttempt {
  const log = resolve(context.baseDir, settings.log);
  return async (attempt) => {
    // An investigation is expensive: the findings of an earlier attempt are used.
    if (attempt.checkpoint !== undefined) {
      const earlier = Findings.parse(attempt.checkpoint);
      if (!(await isInLog(log, earlier))) await appendLine(log, earlier.record);
      return outcomeOf(earlier, context, log, attempt);
    }
    const findings = await investigate(settings, context, attempt, log);
    if ("error" in findings) return findings;
    await attempt.save(findings);
    await appendLine(log, findings.record);
    return outcomeOf(findings, context, log, attempt);
  };
}

async function investigate(
  settings: InvestigatorSettings,
  context: BuiltInContext,
  attempt: Attempt,
  log: string,
): Promise<Findings | (Outcome & { ok: false })> {
  const { signal } = attempt;
  const outcome = await runForSignal({ ...settings, ...context }, attempt);
  if (!outcome.ok) return { ...outcome, retry: true };
  if (outcome.printed === undefined && outcome.isLarge) {
    // Another attempt would most likely print as much.
    const kept = outcome.keep();
    const error = `the command printed ${kept.size} bytes, which is too much to be read as its findings: they are a JSON object of ${LIMITS.signalBytes} bytes at most`;
    return { ok: false, error, retry: false, facts: { ...kept } };
  }
  if (outcome.printed === undefined) {
    const error = "the command printed no JSON object, as its whole output or its last line";
    return { ok: false, error, retry: true, facts: { output: outcome.output } };
  }
  const record = {
    timestamp: new Date(context.now()).toISOString(),
    ...passedOn(signal, context.passOn),
    ...outcome.printed,
    signal_id: signal.id,
    ...outcome.facts,
  };
  const logBytes = (await ifThere(stat(log)))?.size ?? 0;
  // A timestamp that the command prints takes precedence over ours.
  const timestamp = typeof record.timestamp === "string" ? record.timestamp : String(record.timestamp);
  return { record: { ...record, timestamp }, logBytes };
}

async function isInLog(log: string, { record, logBytes }: Findings): Promise<boolean> {
  for await (const { signal_id } of objectsFromEnd(log, logBytes)) if (signal_id === record.signal_id) return true;
  return false;
}

function outcomeOf({ record }: Findings, context: BuiltInContext, log: string, attempted: Attempt): Outcome {
  const { name, completed } = context;
  const { signal, attempt } = attempted;
  const { timestamp, ...findings } = record;
  const whole = { reaction: name, attempt, ...findings, investigation_timestamp: timestamp };
  const facts = fitsAsJson(whole, LIMITS.signalBytes) ? whole : withoutFindings(whole, context, log);
  // The id comes from the question: if this host dies before the queue knows the task as complete, another host
  // investigates, and the log keeps one of the two signals.
  const emit = completed === null ? [] : [{ signal: completed, facts, id: `${signal.id}.complete` }];
  return { ok: true, emit, result: facts };
}

/** Findings that no signal can hold are in the log of investigations, whole; the signal says so. */
function withoutFindings(facts: Facts, { hostId: host, passOn }: BuiltInContext, log: string): Facts {
  const known = ["reaction", "attempt", "signal_id", "investigation_timestamp", "duration_ms", "exit_code", ...passOn];
  const kept = Object.fromEntries(Object.entries(facts).filter(([name]) => known.includes(name)));
  return { ...kept, truncated: true, size: Buffer.byteLength(JSON.stringify(facts)), path: log, host };
}
