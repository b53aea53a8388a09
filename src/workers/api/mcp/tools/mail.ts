import * as z from "zod";
import { ActRequest, MailMessage, MailPage, NewMail, ReceivedMail, SentMail } from "../../../../core/mail/api.ts";
import { path } from "../edge-calls.ts";
import { defineTool, READS } from "../tool.ts";

/** Below the time after which clients give a call up. */
const MAX_WAIT_MS = 25_000;

const recipient = z.string().min(1).max(256).meta({ description: "Whose mailbox: your own name" });
const id = z.string().min(1).max(256).meta({ description: "Id of the message" });

/** Said again it changes nothing. */
const SAYS = { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false };

const sendMail = defineTool({
  name: "send_mail",
  title: "Send a message",
  description:
    "Writes to another agent by its name, and wakes it where it sleeps. An unknown name is refused with the names that are like " +
    "it. Give an `id`, so that sending it again after a lost answer sends nothing twice. With `reply_to` it joins a thread, and " +
    "goes to the sender of that message. Durations are in milliseconds.",
  operations: ["sendMail"],
  scopes: ["tasks:write"],
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  args: NewMail,
  answer: SentMail,
  run: (body, edge) => edge({ method: "POST", path: "/mail", body }),
});

const receiveMail = defineTool({
  name: "receive_mail",
  title: "Take new messages",
  description:
    "Gives you the messages that you were not given before, oldest first, and waits up to `wait_ms` for one. Each comes once: after " +
    "a lost answer, or in a new session, `list_mailbox` has all that you did not act on.",
  operations: ["receiveMail"],
  scopes: ["tasks:work"],
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  args: z.strictObject({
    recipient,
    max: z.int().min(1).max(100).default(10).meta({ description: "Most messages; default 10" }),
    wait_ms: z.int().min(0).max(MAX_WAIT_MS).default(0).meta({ description: "How long to wait for one; default 0" }),
  }),
  answer: ReceivedMail,
  run: ({ recipient, ...body }, edge) => edge({ method: "POST", path: path`/mailboxes/${recipient}/receive`, body }),
});

const listMailbox = defineTool({
  name: "list_mailbox",
  title: "Look into a mailbox",
  description:
    "Lists the messages to you that you did not act on, or those that you sent (`box: out`). A look changes nothing.",
  operations: ["getMailbox"],
  scopes: ["tasks:work"],
  annotations: READS,
  args: z.strictObject({
    recipient,
    box: z.enum(["in", "out"]).default("in").meta({ description: "Messages to you, or of you" }),
    thread: z.string().max(256).optional().meta({ description: "Only messages of this thread" }),
    ended: z.boolean().default(false).meta({ description: "Those that have ended, the last first, instead" }),
    limit: z.int().min(1).max(100).default(20).meta({ description: "Most messages; default 20" }),
    after: z.string().max(256).optional().meta({ description: "`next` of the page before" }),
  }),
  answer: MailPage,
  run: ({ recipient, ended, ...query }, edge) =>
    edge({
      method: "GET",
      path: path`/mailboxes/${recipient}`,
      query: { ...query, ...(ended ? { ended: "true" } : {}) },
    }),
});

const readMail = defineTool({
  name: "read_mail",
  title: "Say that a message was read",
  description: "Tells the sender that you have read a message. One that asks for nothing needs no more.",
  operations: ["readMail"],
  scopes: ["tasks:work"],
  annotations: SAYS,
  args: z.strictObject({ id }),
  answer: MailMessage,
  run: ({ id }, edge) => edge({ method: "POST", path: path`/mail/${id}/read` }),
});

const actOnMail = defineTool({
  name: "act_on_mail",
  title: "Say that a message is done",
  description:
    "Ends a message when you have done what it asked for. `result` is what the sender finds at it, such as evidence.",
  operations: ["actMail"],
  scopes: ["tasks:work"],
  annotations: SAYS,
  args: z.strictObject({ id, ...ActRequest.shape }),
  answer: MailMessage,
  run: ({ id, ...body }, edge) => edge({ method: "POST", path: path`/mail/${id}/act`, body }),
});

/** Messages between agents. */
export const mailTools = [sendMail, receiveMail, listMailbox, readMail, actOnMail];
