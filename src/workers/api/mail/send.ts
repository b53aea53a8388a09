import type { Context } from "hono";
import { isBoundTo, notBound } from "../../../core/access/bindings.ts";
import type { Caller } from "../../../core/access/grant.ts";
import { MAIL_QUEUE, type MailMessage, NewMail, type SentMail } from "../../../core/mail/api.ts";
import { payloadOf, taskOfMail } from "../../../core/mail/message.ts";
import { MAX_OPEN_MESSAGES } from "../../../core/mail/settings.ts";
import { problem } from "../../../core/problem/problem.ts";
import { jsonOf } from "../../../core/queue/task-input.ts";
import type { ApiEnv } from "../http/api-env.ts";
import { readDocument } from "../http/body.ts";
import { repeatable } from "../http/once.ts";
import { invalid, Refusal } from "../http/refusal.ts";
import { beginQueue } from "../queue/begin-queue.ts";
import { findQueue } from "../queue/existing-queue.ts";
import { acceptedBy, refuseFull, withTraceOf } from "../queue/tasks-body.ts";
import { readMessage } from "./messages.ts";
import { addresseeOf } from "./recipients.ts";
import { wake } from "./wake.ts";

const TITLE = "The message is not valid";
const wrong = (pointer: string, message: string) => invalid("invalid-mail", TITLE, [{ pointer, message }]);

/** Sends a message, and wakes its recipient. */
export async function sendMail(c: Context<ApiEnv>, eco: string): Promise<SentMail> {
  const mail = await readDocument(c.req.raw, NewMail, "invalid-mail", TITLE);
  const grant = c.get("grant");
  const from = senderOf(grant, mail.from);
  const id = mail.id ?? repeatable(c) ?? crypto.randomUUID();
  const answered = mail.reply_to === undefined ? undefined : await answeredBy(c, eco, mail.reply_to);
  const to = mail.to ?? answered?.from ?? undefined;
  if (to === undefined) throw wrong("/to", "name the recipient");
  const thread = answered?.thread ?? id;
  const addressee = await addresseeOf(c.env, eco, to);
  if (addressee.open >= MAX_OPEN_MESSAGES) throw mailboxFull(to);
  const payload = jsonOf(payloadOf(mail, thread, Date.now()));
  if (typeof payload !== "string") throw wrong("/body", payload.message);
  const queue = await beginQueue(c.env, eco, MAIL_QUEUE, grant);
  const answer = acceptedBy(
    await queue.enqueue([withTraceOf(c.req.raw, taskOfMail({ id, from, to, thread }, mail, payload))]),
  );
  if ("full" in answer) throw refuseFull(answer.capacity);
  const known = answer.tasks[0]?.known === true;
  // Also of a message that was sent before: whoever sends it again may have had no answer, and nobody was woken.
  const woken = await wake(c.env, eco, { to, id }, addressee);
  return { id, thread, ...(known ? { known } : {}), ...woken };
}

/** A token that is bound to recipients writes in their names alone. */
function senderOf({ recipients, name }: Caller, from: string | undefined): string {
  const own = recipients?.find((one) => !one.endsWith("*"));
  const sender = from ?? own ?? name;
  if (!isBoundTo(recipients, sender)) throw new Refusal(notBound("recipients", recipients, sender));
  return sender;
}

async function answeredBy(c: Context<ApiEnv>, eco: string, id: string): Promise<MailMessage> {
  const queue = await findQueue(c.env, eco, MAIL_QUEUE);
  const text = queue === undefined ? null : await queue.task(id);
  if (text === null) throw wrong("/reply_to", `no message "${id}" is kept: send a new one`);
  return readMessage(text);
}

const mailboxFull = (to: string) =>
  new Refusal(
    problem(
      "mailbox-full",
      429,
      "The mailbox is full",
      `${to} has ${MAX_OPEN_MESSAGES} messages that it did not act on. Wait until it has, or withdraw some: cancel their tasks in the queue mail.`,
      { max_messages: MAX_OPEN_MESSAGES },
    ),
    { "Retry-After": "60" },
  );
