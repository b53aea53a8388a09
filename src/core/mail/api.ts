import * as z from "zod";
import { TaskId } from "../queue/task-input.ts";
import { LIMITS } from "../signals/limits.ts";
import { Identifier } from "../signals/signal.ts";
import { Timestamp } from "../signals/timestamp-schema.ts";

/** The queue whose tasks are messages, and their type. */
export const MAIL_QUEUE = "mail";
export const MAIL_TYPE = "MAIL";

const HOUR_MS = 3_600_000;
const WEEK_MS = 168 * HOUR_MS;
const MAX_SUBJECT_CHARS = 256;
/** Messages in one answer. */
export const MAX_MESSAGES = 100;

const Address = z.string().min(1).max(LIMITS.identifierLength);
const length = (fallback: number) => z.int().min(1_000).max(WEEK_MS).default(fallback);

/** A message as its sender gives it. */
export const NewMail = z.strictObject({
  to: Identifier.optional().meta({ description: "The recipient, by name; of a reply it may be left out" }),
  from: Address.optional().meta({ description: "The sender; default: the token's own recipient, or its name" }),
  subject: z.string().trim().min(1).max(MAX_SUBJECT_CHARS).optional().meta({ description: "In a few words" }),
  body: z.unknown().meta({ description: "Any JSON, mostly a text; with everything else 64 KiB at most" }),
  id: TaskId.optional().meta({
    description: "Your id for the message: it is sent once, however often the call is made",
  }),
  reply_to: TaskId.optional().meta({
    description: "Id of the message that this one answers: it joins the thread of that",
  }),
  expires_ms: length(WEEK_MS).meta({
    description: "It expires when it was not delivered within this time, or not acted on within this time after that",
  }),
  deliver_within_ms: length(HOUR_MS).meta({ description: "Undelivered for longer, it stands in the attention list" }),
  read_within_ms: z
    .int()
    .min(1_000)
    .max(WEEK_MS)
    .optional()
    .meta({ description: "Unread for so long after it was sent, it stands there, too; absent: never" }),
});
export type NewMail = z.output<typeof NewMail>;

/** What a message's task holds beside its terms. */
export const MailPayload = z.object({
  subject: z.string().nullable(),
  body: z.unknown(),
  thread: z.string(),
  reply_to: z.string().nullable(),
  deliver_by: z.string(),
  read_by: z.string().nullable(),
});
export type MailPayload = Readonly<z.infer<typeof MailPayload>>;

/** How far a message is; each state follows from the one before, and the last four are ends. */
export const MAIL_STATES = ["sent", "delivered", "read", "acted", "expired", "withdrawn", "failed"] as const;
export type MailState = (typeof MAIL_STATES)[number];

export const MailMessage = z.object({
  id: z.string().meta({ description: "Id of the message, and of its task in the queue mail" }),
  from: z.string().nullable().meta({ description: "The sender" }),
  to: z.string().meta({ description: "The recipient" }),
  subject: z.string().nullable(),
  body: z.unknown().meta({ description: "Any JSON" }),
  thread: z.string().meta({ description: "Id of the message with which the thread began" }),
  reply_to: z.string().nullable().meta({ description: "Id of the message that this one answers" }),
  state: z.enum(MAIL_STATES).meta({
    description: "withdrawn: its task was cancelled; failed: a worker gave it up",
  }),
  sent_at: Timestamp.meta({ description: "When it was stored" }),
  delivered_at: Timestamp.nullable().meta({ description: "When the recipient was given it first" }),
  read_at: Timestamp.nullable().meta({ description: "When the recipient said that it was read" }),
  acted_at: Timestamp.nullable().meta({ description: "When the recipient said that it was done" }),
  ended_at: Timestamp.nullable().meta({ description: "When it ended, however" }),
  expires_at: Timestamp.nullable().meta({ description: "When it expires, as far as it is now; null: it has ended" }),
  result: z.unknown().optional().meta({ description: "What the recipient did, as it said; any JSON" }),
  error: z.string().optional().meta({ description: "Why it ended without an act" }),
});
export type MailMessage = Readonly<z.infer<typeof MailMessage>>;

export const MailPage = z.object({
  messages: z.array(MailMessage).readonly(),
  next: z
    .string()
    .nullable()
    .meta({ description: "Send it as `after` for the next page, which may be short too; null: no more messages" }),
});
export type MailPage = Readonly<z.infer<typeof MailPage>>;

export const MailWake = z.enum(["connected", "asked", "scheduled", "none"]);

/** Answer to a message that was taken. */
export const SentMail = z.object({
  id: z.string().meta({ description: "Id of the message" }),
  thread: z.string().meta({ description: "Id of the thread" }),
  known: z
    .literal(true)
    .optional()
    .meta({ description: "The message of this id was sent before: it was not sent again" }),
  wake: MailWake.meta({
    description:
      "connected: the recipient waits for mail, and has it; asked: its hosts were asked to start it; scheduled: a schedule starts " +
      "it; none: it gets the message when it asks",
  }),
  hosts: z.array(z.string()).readonly().meta({ description: "Hosts that were asked to start the recipient" }),
  next_wake_at: Timestamp.nullable().meta({ description: "When a schedule starts it, where that is known" }),
});
export type SentMail = Readonly<z.infer<typeof SentMail>>;

/** Body of the call by which a recipient takes its new messages. */
export const ReceiveRequest = z.strictObject({
  max: z.int().min(1).max(MAX_MESSAGES).default(10),
  wait_ms: z.int().min(0).max(30_000).default(0),
});

export const ReceivedMail = z.object({
  messages: z.array(MailMessage).readonly(),
});

/** Body of the call by which a recipient says what it did; it may be left out. */
export const ActRequest = z.strictObject({
  result: z.unknown().optional().describe("What was done, any JSON; the sender finds it at the message"),
});
