import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { expiresMs } from "../../../core/access/grant.ts";
import { ActRequest, MAIL_QUEUE, MAX_MESSAGES, ReceiveRequest } from "../../../core/mail/api.ts";
import { MAIL_LEASE_MS } from "../../../core/mail/mailbox.ts";
import { problem } from "../../../core/problem/problem.ts";
import type { TaskAction } from "../../../core/queue/task-action.ts";
import { TASK_ID, TASK_ID_RULE } from "../../../core/queue/task-input.ts";
import { IDENTIFIER } from "../../../core/signals/signal.ts";
import { refusedRecipient, worksFor } from "../../../durable-objects/queue/worker-rights.ts";
import type { ApiEnv } from "../http/api-env.ts";
import { readDocument } from "../http/body.ts";
import { choice, EcosystemPath, wholeNumber, words } from "../http/query.ts";
import { Refusal, unauthenticated } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { beginQueue } from "../queue/begin-queue.ts";
import { findQueue } from "../queue/existing-queue.ts";
import { acceptedBy, jsonOrRefuse } from "../queue/tasks-body.ts";
import { findMail, listMail, readMessage, unknownMessage } from "./messages.ts";
import { MailPageSchema, MessageSchema, ReceivedSchema, SentMailSchema } from "./schemas.ts";
import { sendMail } from "./send.ts";

const body = (name: string, required = true) => jsonBody({ $ref: `#/components/schemas/${name}` }, required);
const MailPath = EcosystemPath.extend({
  id: z.string().regex(TASK_ID, TASK_ID_RULE).openapi({ description: "Id of the message" }),
});
const MailboxPath = EcosystemPath.extend({
  recipient: z
    .string()
    .regex(IDENTIFIER, "give the name of a recipient")
    .openapi({ description: "The recipient, by name" }),
});
const page = {
  thread: words("Only messages of this thread"),
  ended: choice(["true", "false"], "Messages that have ended, the last first, instead of open ones"),
  limit: wholeNumber(1, MAX_MESSAGES, 50, "Messages in a page"),
  after: words("`next` of the page before"),
};

const send = createRoute({
  method: "post",
  path: "/v1/{eco}/mail",
  operationId: "sendMail",
  summary: "Send a message to an agent",
  description:
    "The message is a task of the queue `mail`: a worker of the recipient is given it at once, anybody else finds it in the inbox. A " +
    "supervised agent that does not run is started where its settings say `wake_on_mail`. A recipient that nobody knows is refused " +
    "with the names that are like it. The same `id` again is not a second message.",
  tags: ["mail"],
  ...secured("tasks:write"),
  request: { params: EcosystemPath, body: body("NewMail") },
  responses: { 202: json(SentMailSchema, "The message is durable"), ...problems(400, 413, 415, 429) },
});

const list = createRoute({
  method: "get",
  path: "/v1/{eco}/mail",
  operationId: "listMail",
  summary: "List messages: of a recipient, of a sender, of a thread",
  tags: ["mail"],
  ...secured("tasks:read"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      to: words("Only messages to this recipient"),
      from: words("Only messages of this sender"),
      ...page,
    }),
  },
  responses: {
    200: json(MailPageSchema, "One page; open messages in the order in which they were sent"),
    ...problems(),
  },
});

const one = createRoute({
  method: "get",
  path: "/v1/{eco}/mail/{id}",
  operationId: "getMail",
  summary: "Get a message with its states and their times",
  tags: ["mail"],
  ...secured("tasks:read"),
  request: { params: MailPath },
  responses: { 200: json(MessageSchema, "The message"), ...problems(404) },
});

const inbox = createRoute({
  method: "get",
  path: "/v1/{eco}/mailboxes/{recipient}",
  operationId: "getMailbox",
  summary: "Look into the mailbox of a recipient",
  description: "Messages to it, or those that it has sent. A look changes no state.",
  tags: ["mail"],
  ...secured("tasks:work"),
  request: {
    params: MailboxPath,
    query: z.strictObject({ box: choice(["in", "out"], "Messages to the recipient (default), or of it"), ...page }),
  },
  responses: { 200: json(MailPageSchema, "One page"), ...problems() },
});

const receive = createRoute({
  method: "post",
  path: "/v1/{eco}/mailboxes/{recipient}/receive",
  operationId: "receiveMail",
  summary: "Take the new messages of a recipient",
  description:
    "Those that were not delivered before, oldest first; they are delivered then, and stay in the mailbox until they are acted on. " +
    "Waits up to `wait_ms` for one. Whoever has once waited for mail may be written to.",
  tags: ["mail"],
  ...secured("tasks:work"),
  request: { params: MailboxPath, body: body("ReceiveRequest", false) },
  responses: { 200: json(ReceivedSchema, "The new messages, or none"), ...problems(400, 413, 415) },
});

const step = (action: "read" | "act", summary: string, name?: string) =>
  createRoute({
    method: "post",
    path: `/v1/{eco}/mail/{id}/${action}`,
    operationId: `${action}Mail`,
    summary,
    description:
      "Said again it changes nothing. A message that was not delivered is delivered by it, with those before it.",
    tags: ["mail"],
    ...secured("tasks:work"),
    request: { params: MailPath, ...(name === undefined ? {} : { body: body(name, false) }) },
    responses: { 200: json(MessageSchema, "The message as it is now"), ...problems(400, 404, 409, 413, 415) },
  });
const read = step("read", "Say that a message was read");
const act = step("act", "Say that what a message asked for is done", "ActRequest");

export const mail = newApi()
  .openapi(send, async (c) => c.json(await sendMail(c, c.req.valid("param").eco), 202))
  .openapi(list, async (c) => {
    const { ended, ...query } = c.req.valid("query");
    return c.json(await listMail(c.env, c.req.valid("param").eco, { ...query, ended: ended === "true" }), 200);
  })
  .openapi(one, async (c) => {
    const { eco, id } = c.req.valid("param");
    return c.json(await findMail(c.env, eco, id), 200);
  })
  .openapi(inbox, async (c) => {
    const { eco, recipient } = c.req.valid("param");
    mustWorkFor(c, recipient);
    const { ended, box, ...query } = c.req.valid("query");
    const of = box === "out" ? { from: recipient } : { to: recipient };
    return c.json(await listMail(c.env, eco, { ...query, ...of, ended: ended === "true" }), 200);
  })
  .openapi(receive, async (c) => {
    const { eco, recipient } = c.req.valid("param");
    mustWorkFor(c, recipient);
    const { max, wait_ms: waitMs } = await readDocument(withBody(c), ReceiveRequest, "invalid-receive");
    const grant = c.get("grant");
    const queue = await mailQueue(c, eco);
    const token = { id: grant.id, expiresMs: expiresMs(grant) };
    const wish = { recipient, max, leaseMs: MAIL_LEASE_MS, waitMs, worker: grant.name, token };
    const leased = acceptedBy(await queue.lease(wish));
    if ("token_over" in leased) throw unauthenticated();
    const ids = "paused" in leased ? [] : leased.map((text) => readId(text));
    const texts = ids.length === 0 ? [] : await queue.tasksById(ids);
    return c.json({ messages: texts.map(readMessage) }, 200);
  })
  .openapi(read, async (c) => c.json(await stepOf(c, c.req.valid("param"), { action: "read" }), 200))
  .openapi(act, async (c) => {
    const { result } = await readDocument(withBody(c), ActRequest, "invalid-result");
    const resultJson = jsonOrRefuse(result, "/result", "invalid-result");
    return c.json(await stepOf(c, c.req.valid("param"), { action: "act", resultJson }), 200);
  });

/** The queue `mail`, which begins when somebody first waits for mail: its name is nobody's mistake. */
async function mailQueue(c: Context<ApiEnv>, eco: string) {
  const existing = await findQueue(c.env, eco, MAIL_QUEUE);
  if (existing !== undefined) return existing;
  const begun = await beginQueue(c.env, eco, MAIL_QUEUE, c.get("grant"));
  await begun.begin();
  return begun;
}

const Leased = z.object({ task_id: z.string() });
const readId = (text: string) => Leased.parse(JSON.parse(text)).task_id;

/** A body that may be left out. */
function withBody({ req: { raw } }: Context<ApiEnv>): Request {
  if (raw.body !== null && raw.headers.get("content-type") !== null) return raw;
  return new Request(raw.url, { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } });
}

function mustWorkFor(c: Context<ApiEnv>, recipient: string): void {
  const { recipients } = c.get("grant");
  if (!worksFor(recipients, recipient)) throw new Refusal(refusedRecipient(MAIL_QUEUE, recipients, recipient));
}

type Step =
  | Pick<Extract<TaskAction, { action: "read" }>, "action">
  | Pick<Extract<TaskAction, { action: "act" }>, "action" | "resultJson">;

async function stepOf(c: Context<ApiEnv>, { eco, id }: { eco: string; id: string }, step: Step) {
  const { recipients, name } = c.get("grant");
  const queue = await findQueue(c.env, eco, MAIL_QUEUE);
  if (queue === undefined) throw unknownMessage(id);
  const answer = acceptedBy(await queue.applyAction({ ...step, taskId: id, worker: name, recipients }));
  if ("foreign" in answer) throw new Refusal(refusedRecipient(MAIL_QUEUE, recipients, answer.foreign));
  if (!("conflict" in answer)) return findMail(c.env, eco, id);
  if (answer.conflict === "unknown") throw unknownMessage(id);
  const title = "The message cannot take that state";
  throw answer.conflict === "finished"
    ? new Refusal(
        problem("mail-ended", 409, title, "It was withdrawn, has expired or failed: ask its sender to send it again."),
      )
    : new Refusal(
        problem("mail-not-delivered", 409, title, "It could not be delivered now: is the queue mail paused?"),
      );
}
