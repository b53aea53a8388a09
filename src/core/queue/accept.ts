import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";

/** The queue whose tasks are runs of checks. Only queues put tasks into it, and only hosts take them. */
export const CHECKS_QUEUE = "host-checks";
/** Type of its tasks. */
export const CHECK_TYPE = "CHECK";
/** Runs of one check, where a host is lost during a run or cannot begin. */
export const CHECK_ATTEMPTS = 3;

/** The answers of a reviewer. */
export const ACCEPT = "accept";
export const REFUSE = "refuse";

export const CHECK_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
export const CHECK_RULE =
  "the name of a check starts with a letter or digit and holds letters, digits and . _ - (63 at most)";
const PERSON = /^[A-Za-z0-9][A-Za-z0-9._:@~-]{0,127}$/;

/** Questions whose ids begin so are asked by queues alone. */
const REVIEW = "proof.";
const MAX_RULE = 2_000;
/** What of a check's output is kept, and of a reason. */
const MAX_OUTPUT = 4_000;
const MAX_REASON = 1_000;

/** How a task proves that it is done: exactly one of these. */
export const Accept = z
  .strictObject({
    check: z
      .string()
      .regex(CHECK_NAME, { message: CHECK_RULE })
      .optional()
      .meta({ description: "Name of a check in the settings of a host, which runs its command" }),
    rule: z
      .string()
      .min(1)
      .max(MAX_RULE)
      .optional()
      .meta({ description: "Expression (CEL) over task, result and evidence; only true accepts" }),
    reviewer: z
      .string()
      .regex(PERSON, {
        message: "a reviewer is a person or a role, by a name of letters, digits and . _ : @ ~ - (128 at most)",
      })
      .optional()
      .meta({ description: "Person or role that is asked to accept or refuse" }),
  })
  .refine((accept) => Object.values(accept).filter((one) => one !== undefined).length === 1, {
    message: "give one of check, rule and reviewer",
  });
export type Accept = Readonly<z.infer<typeof Accept>>;

/** How a task was judged. */
export const Verdict = z.object({
  accepted: z.boolean().meta({ description: "Whether the task counts as done" }),
  by: z.enum(["check", "rule", "reviewer"]).meta({ description: "Who judged it" }),
  name: z.string().optional().meta({ description: "Of the check, or of who answered; absent: a rule, or nobody did" }),
  at: Timestamp.meta({ description: "When it was judged" }),
  attempt: z.int().meta({ description: "The attempt that was judged" }),
  reason: z.string().optional().meta({ description: "Why it was not accepted, or what the reviewer said" }),
  host: z.string().optional().meta({ description: "Only of a check: where it ran" }),
  exit_code: z.int().nullable().optional().meta({ description: "Only of a check; null: it did not exit by itself" }),
  output: z.string().optional().meta({ description: "Only of a check: the beginning and the end of what it printed" }),
  duration_ms: z.number().optional().meta({ description: "Only of a check: how long it ran" }),
});
export type Verdict = Readonly<z.infer<typeof Verdict>>;

/** A judgement as it reaches the queue, which knows the attempt and the time. */
export const Judgement = Verdict.omit({ at: true, attempt: true });
export type Judgement = Readonly<z.infer<typeof Judgement>>;

/** A task that was reported complete and is not judged yet. */
export interface Proof {
  /** Names this judgement: one that comes for another changes nothing. Nobody can guess it. */
  readonly id: string;
  /** The lease under which the task was reported complete, and who held it. */
  readonly leaseId: string;
  readonly worker: string;
  readonly sinceMs: number;
  /** How often who has to judge was asked, from 1. */
  readonly round: number;
}

/** What the worker brought. */
export interface ProvedWork {
  readonly resultJson: string | null;
  /** What the worker says beside the result; `null`: nothing. */
  readonly evidenceJson: string | null;
}

/** A task that waits for its judgement, as views show it. */
export const Verifying = z.object({
  since: Timestamp.meta({ description: "Since when the task waits to be judged" }),
  worker: z.string().meta({ description: "Who reported it complete" }),
  why: z.string().meta({ description: "What it waits for" }),
});

/** What a host reports of a run of a check. */
export const CheckReport = z.object({
  host: z.string().max(256),
  exit_code: z.int().nullable(),
  ending: z.string().max(MAX_REASON).meta({ description: "How the command ended, in words" }),
  output: z.string(),
  duration_ms: z.number().nonnegative(),
});
export type CheckReport = Readonly<z.infer<typeof CheckReport>>;

export const waitsForText = ({ check, rule, reviewer }: Accept): string => {
  if (check !== undefined) return `waits for a host to run the check ${check}`;
  return rule === undefined ? `waits for ${reviewer} to accept or refuse it` : "waits for its rule";
};

/** What a task waits for that waits for a check. @param hosts - that are connected and have the check */
export function checkWaits(check: string, hosts: number): string {
  if (hosts === 0) return `no host that is connected has the check ${check}`;
  return `waits for the check ${check}, which ${hosts === 1 ? "1 connected host has" : `${hosts} connected hosts have`}`;
}

/** The judgement that a finished run of a check is. */
export function judgementOfCheck(
  name: string,
  end: { readonly outcome: string; readonly resultJson: string | null; readonly error: string | null },
): Judgement {
  const refused = (reason: string): Judgement => ({
    accepted: false,
    by: "check",
    name,
    reason: reason.slice(0, MAX_REASON),
  });
  if (end.outcome !== "complete") return refused(`the check ${name} could not be run: ${end.error ?? end.outcome}`);
  const read = readReport(end.resultJson);
  if (read === undefined) return refused(`the host reported no readable result of the check ${name}`);
  const { host, exit_code, ending, duration_ms } = read;
  const about = { host, exit_code, duration_ms, output: middleOut(read.output, MAX_OUTPUT) };
  if (exit_code === 0) return { accepted: true, by: "check", name, ...about };
  return { ...refused(`the check ${name} ${ending} on ${host}${lastLine(read.output)}`), ...about };
}

function readReport(json: string | null): CheckReport | undefined {
  try {
    const parsed = CheckReport.safeParse(JSON.parse(json ?? "null"));
    return parsed.success ? parsed.data : undefined;
  } catch {
    // What a host stored is text that it chose; unreadable is not accepted.
    return undefined;
  }
}

/** The last line that is not empty says what went wrong, mostly. */
function lastLine(output: string): string {
  const line = output.trimEnd().split("\n").at(-1)?.trim() ?? "";
  return line === "" ? "" : `: ${line.slice(0, 300)}`;
}

/** Keeps the beginning and the end, where programs write what they do and what went wrong. */
export function middleOut(text: string, most: number): string {
  if (text.length <= most) return text;
  const cut = `\n… ${text.length - most} characters left out …\n`;
  const half = Math.floor((most - cut.length) / 2);
  return text.slice(0, half) + cut + text.slice(text.length - half);
}

/** The judgement that the end of a question is; `undefined`: the question expired, and silence is no answer. */
export function judgementOfReview(end: {
  readonly state: "answered" | "expired" | "cancelled";
  readonly answer: string | null;
  readonly answered_by: string | null;
  readonly comment?: string | undefined;
}): Judgement | undefined {
  if (end.state === "expired") return undefined;
  const name = end.answered_by ?? undefined;
  const who = name ?? "somebody";
  const said = end.comment === undefined ? {} : { reason: end.comment.slice(0, MAX_REASON) };
  const about = { by: "reviewer", ...(name === undefined ? {} : { name }) } as const;
  if (end.state === "cancelled") return { ...about, accepted: false, reason: `${who} took the review back` };
  if (end.answer === ACCEPT) return { ...about, accepted: true, ...said };
  const why = end.comment === undefined ? "" : `: ${end.comment}`;
  return { ...about, accepted: false, reason: `${who} refused it${why}`.slice(0, MAX_REASON) };
}

/** Id of the question by which a reviewer is asked. A question that expired is asked again, under the next number. */
export const reviewId = (proof: string, round: number): string => `${REVIEW}${proof}.${round}`;
export const isReview = (question: string): boolean => question.startsWith(REVIEW);
