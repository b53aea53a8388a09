import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import * as z from "zod";
import { appendLine, objectsFromEnd } from "../../base/files/json-lines.ts";
import { ifThere } from "../../base/files/replace-file.ts";
import { commandFields } from "../command-settings.ts";
import type { Attempt, Outcome } from "../reaction.ts";
import { runForSignal } from "../run-for-signal.ts";
import type { BuiltInContext, BuiltInDefaults, Perform } from "./built-in.ts";
import { passedOn } from "./command-facts.ts";

/**
 * Investigates questions (R27): the command gets the question on standard input and prints what it found as a JSON
 * object, which is appended to the log of investigations and told.
 */
export const InvestigatorSettings = z.strictObject({
  built_in: z.literal("investigator"),
  ...commandFields,
  /** One JSON object a line. */
  log: z.string().min(1).default("curiosity_investigations.jsonl"),
});
type InvestigatorSettings = z.infer<typeof InvestigatorSettings>;

/** Questions come as tasks: a rule at the edge puts each one there that was not asked before, and one host takes it. */
export const INVESTIGATOR: BuiltInDefaults = {
  on: { queue: "investigations", recipient: "investigator" },
  completed: "Q_INVESTIGATION_COMPLETE",
  failed: "Q_INVESTIGATION_FAILED",
  passOn: ["question", "question_id", "priority", "gap_name", "gap_category"],
};

/** What was found, and how long the log was before it was appended. */
interface Found {
  readonly record: Record<string, unknown> & { readonly signal_id: string; readonly timestamp: string };
  readonly logBytes: number;
}

export function performInvestigation(settings: InvestigatorSettings, context: BuiltInContext): Perform {
  const log = resolve(context.baseDir, settings.log);
  return async (attempt) => {
    // What an earlier attempt found is not looked for again: an investigation is dear.
    const earlier = attempt.checkpoint as Found | undefined;
    if (earlier !== undefined) {
      if (!(await isInLog(log, earlier))) await appendLine(log, earlier.record);
      return told(earlier, context, attempt);
    }
    const found = await investigate(settings, context, attempt, log);
    if ("error" in found) return found;
    await attempt.save(found);
    await appendLine(log, found.record);
    return told(found, context, attempt);
  };
}

async function investigate(
  settings: InvestigatorSettings,
  context: BuiltInContext,
  attempt: Attempt,
  log: string,
): Promise<Found | (Outcome & { ok: false })> {
  const { signal } = attempt;
  const outcome = await runForSignal({ ...settings, ...context }, attempt);
  if (!outcome.ok) return { ...outcome, retry: true };
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
  // A time that the command says itself is the investigation's own; anything else is none.
  const timestamp = typeof record.timestamp === "string" ? record.timestamp : String(record.timestamp);
  return { record: { ...record, timestamp }, logBytes };
}

async function isInLog(log: string, { record, logBytes }: Found): Promise<boolean> {
  for await (const { signal_id } of objectsFromEnd(log, logBytes)) if (signal_id === record.signal_id) return true;
  return false;
}

function told({ record }: Found, { name, completed }: BuiltInContext, { signal, attempt }: Attempt): Outcome {
  const { timestamp, ...found } = record;
  const facts = { reaction: name, attempt, ...found, investigation_timestamp: timestamp };
  // Named after the question: when this host dies before the queue hears of it another one investigates, and it is told once.
  const emit = completed === null ? [] : [{ signal: completed, facts, id: `${signal.id}.complete` }];
  return { ok: true, emit, result: facts };
}
