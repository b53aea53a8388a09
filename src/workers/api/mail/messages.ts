import { MAIL_QUEUE, type MailMessage, type MailPage } from "../../../core/mail/api.ts";
import { mailOf } from "../../../core/mail/message.ts";
import { TaskView } from "../../../core/queue/api.ts";
import { placeOf, placeText } from "../../../core/queue/finished-query.ts";
import type { Environment } from "../../bindings/environment.ts";
import { invalid, notFound } from "../http/refusal.ts";
import { findQueue } from "../queue/existing-queue.ts";

/** What the queue answers with is a task as it was stored. */
export const readMessage = (text: string): MailMessage => mailOf(TaskView.parse(JSON.parse(text)));

export interface MailQuery {
  readonly to?: string | undefined;
  readonly from?: string | undefined;
  readonly thread?: string | undefined;
  /** Messages that have ended, instead of open ones. */
  readonly ended: boolean;
  readonly limit: number;
  readonly after?: string | undefined;
}

/** Messages: open ones in the order in which they were sent, those that have ended the last first. */
export async function listMail(env: Environment, ecosystem: string, query: MailQuery): Promise<MailPage> {
  const { to, from, ended, after, ...rest } = query;
  // A list makes no queue: where there is none, nothing was ever sent.
  const queue = await findQueue(env, ecosystem, MAIL_QUEUE);
  if (queue === undefined) return { messages: [], next: null };
  const filter = { ...rest, recipient: to, sender: from };
  if (ended) {
    const place = after === undefined ? undefined : (placeOf(after) ?? refuseAfter());
    const { tasks, next } = await queue.finishedTasks({ ...filter, after: place });
    return { messages: tasks.map(readMessage), next: next === null ? null : placeText(next) };
  }
  const seq = after === undefined ? 0 : /^\d{1,15}$/.test(after) ? Number(after) : refuseAfter();
  const { tasks, next } = await queue.tasks({ ...filter, after: seq });
  return { messages: tasks.map(readMessage), next: next === null ? null : String(next) };
}

function refuseAfter(): never {
  const message = "give `next` of an earlier page of the same list";
  throw invalid("invalid-query", "The request is not valid", [{ pointer: "after", message }]);
}

/** @throws Refusal where no such message is kept */
export async function findMail(env: Environment, ecosystem: string, id: string): Promise<MailMessage> {
  const queue = await findQueue(env, ecosystem, MAIL_QUEUE);
  const text = queue === undefined ? null : await queue.task(id);
  if (text === null) throw unknownMessage(id);
  return readMessage(text);
}

export const unknownMessage = (id: string) =>
  notFound(`No message "${id}". One that ended long ago is forgotten. List messages: GET /v1/{eco}/mail`);
