import * as z from "zod";
import { Duration } from "../policy/duration.ts";
import type { FieldError } from "../problem/field-error.ts";
import { fieldErrors } from "../problem/field-errors.ts";
import { jsonOf } from "../queue/task-input.ts";
import { Identifier } from "../signals/signal.ts";
import { parseTimestamp } from "../signals/timestamp.ts";
import { durationMs } from "../times/duration.ts";
import type { PermissionRequest } from "./state.ts";

/** Questions of an ecosystem that wait for an answer, at most. */
export const MAX_OPEN = 2_000;
/** Questions that are over and kept, at most, and for how long. */
export const MAX_CLOSED = 5_000;
export const CLOSED_MS = 30 * 86_400_000;
/** Tasks that wait for one question, at most. */
export const MAX_WATCHERS = 100;

const MAX_TEXT = 4_000;
const MAX_CONTEXT_CHARS = 16_384;
const MAX_OPTIONS = 20;
const MAX_OPTION = 200;
const LONGEST_MS = 90 * 86_400_000;
const SHORTEST_MS = 1_000;
const DEFAULT_MS = 7 * 86_400_000;

export const QUESTION_ID = /^[A-Za-z0-9][A-Za-z0-9._:@~-]{0,127}$/;
export const QUESTION_ID_RULE =
  "the id of a question starts with a letter or digit and holds letters, digits and . _ : @ ~ - (128 at most)";

/** What silence means where nothing else is said: nobody has answered. */
export const EXPIRE = "expire";

/** A person or a role, by a name. */
export const Person = Identifier.max(128);

export const AnswerText = z.string().min(1).max(MAX_TEXT);

/** A question as its asker sends it. */
export const QuestionInput = z.strictObject({
  id: z.string().regex(QUESTION_ID, { message: QUESTION_ID_RULE }).optional().meta({
    description: "Your id of the question: asked again under it, it is the same question. Default: a new one",
  }),
  question: z.string().min(1).max(MAX_TEXT).meta({ example: "Deploy version 42 to production?" }),
  recipient: Person.meta({ description: "A person or a role, by the name that you give it", example: "ops" }),
  options: z
    .array(z.string().min(1).max(MAX_OPTION))
    .min(1)
    .max(MAX_OPTIONS)
    .optional()
    .meta({ description: "The answers that are allowed; absent: any text", example: ["yes", "no"] }),
  context: z
    .unknown()
    .optional()
    .meta({ description: `What helps to answer: any JSON, ${MAX_CONTEXT_CHARS} characters at most` }),
  expires: z
    .union([z.string().max(40), z.number()])
    .optional()
    .meta({ description: "Until when the answer is of use: a time, or a length of time such as 2h. Default: 7d" }),
  on_timeout: AnswerText.optional().meta({
    description: "What silence means: an answer, which is then given, or `expire`, the default: nobody has answered",
  }),
  remind_after: Duration.optional().meta({ description: "The recipient is reminded each time this passes" }),
  escalate_to: Person.optional().meta({ description: "Who is asked too when nobody answers" }),
  escalate_after: Duration.optional().meta({
    description: "When `escalate_to` is asked. Default: after half of the time until the question expires",
  }),
  cause: Identifier.optional().meta({ description: "Id of the signal that led to the question" }),
});
export type QuestionInput = z.input<typeof QuestionInput>;

/** A question that was admitted. Times are milliseconds since the epoch. */
export interface QuestionTerms {
  readonly question: string;
  readonly recipient: string;
  readonly options: readonly string[] | null;
  /** JSON text; `null`: there is none. */
  readonly contextJson: string | null;
  readonly expiresMs: number;
  /** The answer that silence is; `null`: silence is none. */
  readonly onTimeout: string | null;
  readonly remindMs: number | null;
  readonly escalateTo: string | null;
  readonly escalateAtMs: number | null;
  readonly cause: string | null;
  /** The use of a tool that is asked permission for; `null`: it is a question like any other. */
  readonly permission: PermissionRequest | null;
}

export type QuestionAdmission =
  | { readonly ok: true; readonly id: string | undefined; readonly terms: QuestionTerms }
  | { readonly ok: false; readonly errors: FieldError[] };

/** Admits a question, or names everything that is wrong with it. */
export function admitQuestion(input: unknown, nowMs: number): QuestionAdmission {
  const parsed = QuestionInput.safeParse(input);
  if (!parsed.success)
    return { ok: false, errors: fieldErrors(parsed.error.issues, "", QuestionInput, { extrasGoInto: "context" }) };
  const { id, question, recipient, options, context, on_timeout, escalate_to, cause } = parsed.data;
  const errors: FieldError[] = [];
  const wrong = (pointer: string, message: string) => errors.push({ pointer, message });
  const contextJson = context === undefined ? null : jsonOf(context);
  if (contextJson !== null && typeof contextJson !== "string") wrong("/context", contextJson.message);
  else if (contextJson !== null && contextJson.length > MAX_CONTEXT_CHARS)
    wrong("/context", `is larger than ${MAX_CONTEXT_CHARS} characters: give a reference to the data instead`);
  if (options !== undefined && new Set(options).size < options.length) wrong("/options", "give each option once");
  // A word that is an option means that option.
  const silent = on_timeout === undefined || (on_timeout === EXPIRE && options?.includes(EXPIRE) !== true);
  if (!silent && options !== undefined && !options.includes(on_timeout))
    wrong("/on_timeout", `give one of the options, or ${EXPIRE}: silence is no answer`);
  const expiresMs = expiryOf(parsed.data.expires, nowMs);
  if (expiresMs === undefined)
    wrong(
      "/expires",
      "give a time (2026-01-31T12:00:00.000Z, or seconds since the epoch), or a length of time such as 2h",
    );
  else if (expiresMs < nowMs + SHORTEST_MS || expiresMs > nowMs + LONGEST_MS)
    wrong("/expires", "is a time from one second to 90 days after now");
  const lifeMs = (expiresMs ?? nowMs + LONGEST_MS) - nowMs;
  const within = (field: "remind_after" | "escalate_after") => {
    const text = parsed.data[field];
    const ms = text === undefined ? undefined : (durationMs(text) ?? 0);
    if (ms !== undefined && ms < SHORTEST_MS) wrong(`/${field}`, "give one second or more");
    else if (ms !== undefined && ms >= lifeMs) wrong(`/${field}`, "give less than the time until the question expires");
    return ms;
  };
  const remindMs = within("remind_after");
  const escalateMs = within("escalate_after");
  if (escalateMs !== undefined && escalate_to === undefined)
    wrong("/escalate_to", "say who is asked then, or leave escalate_after out");
  if (escalate_to === recipient) wrong("/escalate_to", "is the recipient: name somebody else");
  if (errors.length > 0 || expiresMs === undefined) return { ok: false, errors };
  return {
    ok: true,
    id,
    terms: {
      question,
      recipient,
      options: options ?? null,
      contextJson: typeof contextJson === "string" ? contextJson : null,
      expiresMs,
      onTimeout: silent ? null : on_timeout,
      remindMs: remindMs ?? null,
      escalateTo: escalate_to ?? null,
      escalateAtMs: escalate_to === undefined ? null : nowMs + (escalateMs ?? Math.floor(lifeMs / 2)),
      cause: cause ?? null,
      permission: null,
    },
  };
}

function expiryOf(given: string | number | undefined, nowMs: number): number | undefined {
  if (given === undefined) return nowMs + DEFAULT_MS;
  const lengthMs = typeof given === "string" ? durationMs(given) : undefined;
  return lengthMs === undefined ? parseTimestamp(given) : nowMs + lengthMs;
}
