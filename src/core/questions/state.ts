import * as z from "zod";

/** What a question may be. `open` waits for its answer; the others are over, and stay so. */
export const QUESTION_STATES = ["open", "answered", "expired", "cancelled"] as const;

/** Kinds of questions. `permission`: of the use of a tool, which has rules of its own. */
export const QUESTION_KINDS = ["question", "permission"] as const;
export type QuestionKind = (typeof QUESTION_KINDS)[number];

/** The ways on which an answer may come. */
export const WAYS = ["token", "session", "link", "rule", "timeout"] as const;

/** Who did something. */
export const Actor = z.object({
  /** Name of a token, of an endpoint, of a rule. */
  name: z.string(),
  /** Id of the token or the session, where there is one. */
  id: z.string(),
  way: z.enum(WAYS),
});
export type Actor = Readonly<z.infer<typeof Actor>>;

const Ms = z.number();

/** The use of a tool that a question asks permission for. Without secrets that are known by their form. */
export const PermissionRequest = z.object({
  tool: z.string(),
  description: z.string().nullable(),
  /** The beginning of what the tool is used with. */
  preview: z.string().nullable(),
  /** Where the model works. */
  session: z.string().nullable(),
});
export type PermissionRequest = Readonly<z.infer<typeof PermissionRequest>>;

/** A question as it is stored. Times are milliseconds since the epoch. */
export const QuestionState = z.object({
  question: z.string(),
  recipient: z.string(),
  options: z.array(z.string()).nullable(),
  contextJson: z.string().nullable(),
  expiresMs: Ms,
  onTimeout: z.string().nullable(),
  remindMs: Ms.nullable(),
  escalateTo: z.string().nullable(),
  escalateAtMs: Ms.nullable(),
  cause: z.string().nullable(),
  askedMs: Ms,
  askedBy: Actor,
  state: z.enum(QUESTION_STATES),
  /** The next reminder; `null`: there is none. */
  remindAtMs: Ms.nullable(),
  reminders: z.number(),
  escalatedMs: Ms.nullable(),
  /** When it was over; `null`: it is not. */
  closedMs: Ms.nullable(),
  answer: z.string().nullable(),
  comment: z.string().nullable(),
  /** Who answered or cancelled. */
  closedBy: Actor.nullable(),
  /** Of the request that answered: the same request again is the same answer. */
  answerKey: z.string().nullable(),
  /** Id of the signal that tells that it was asked. */
  signal: z.string().nullable(),
  /** `null`: it is no request of permission. Questions of earlier versions are none. */
  permission: PermissionRequest.nullable().default(null),
});
export type QuestionState = Readonly<z.infer<typeof QuestionState>>;
