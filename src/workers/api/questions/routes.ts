import { createRoute, z } from "@hono/zod-openapi";
import { notBound } from "../../../core/access/bindings.ts";
import { AnswerRequest } from "../../../core/questions/api.ts";
import { admitQuestion } from "../../../core/questions/settings.ts";
import { QUESTION_KINDS, QUESTION_STATES } from "../../../core/questions/state.ts";
import { questions } from "../../bindings/objects.ts";
import { readDocument, readJson } from "../http/body.ts";
import { nextLink } from "../http/next-link.ts";
import { repeatable } from "../http/once.ts";
import { choice, EcosystemPath, sequence, wholeNumber, words } from "../http/query.ts";
import { invalid, notFound, Refusal } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { actorOf } from "./actor.ts";
import { anotherQuestion, answerRefused, tooManyQuestions } from "./refusals.ts";
import {
  AnswerRequestSchema,
  AskedSchema,
  NewQuestionSchema,
  QuestionPath,
  QuestionSchema,
  QuestionsSchema,
} from "./schemas.ts";

const tags = ["questions"];
/** Below the time after which clients and proxies give a request up. */
const MAX_WAIT_MS = 30_000;
const INVALID = "Invalid question";
const inputOf = (schema: z.ZodType) => z.toJSONSchema(schema, { io: "input", target: "draft-2020-12" }) as object;

const ask = createRoute({
  method: "post",
  path: "/v1/{eco}/questions",
  operationId: "askQuestion",
  summary: "Ask a person or a role",
  description:
    "It is answered once, by whoever answers first. Asked again under the same `id`, or with the same `Idempotency-Key`, it is " +
    "the same question. Silence is no answer, unless `on_timeout` says which one it is.",
  tags,
  ...secured("tasks:write"),
  request: {
    body: jsonBody({
      ...inputOf(NewQuestionSchema),
      example: { question: "Deploy version 42?", recipient: "ops", options: ["yes", "no"], expires: "2h" },
    }),
    params: EcosystemPath,
  },
  responses: { 201: json(AskedSchema, "The question is durable"), ...problems(400, 409, 413, 415) },
});

const list = createRoute({
  method: "get",
  path: "/v1/{eco}/questions",
  operationId: "listQuestions",
  summary: "List questions, the newest first",
  description: "A token that is bound to recipients sees their questions alone.",
  tags,
  ...secured("tasks:read"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      state: choice(QUESTION_STATES, "Only questions in this state"),
      recipient: words("Only questions that this person or role is asked"),
      kind: choice(QUESTION_KINDS, "Only requests of permission to use a tool, or only other questions"),
      limit: wholeNumber(1, 500, 100, "Questions in a page"),
      after: sequence("`next` of the page before"),
    }),
  },
  responses: { 200: json(QuestionsSchema, "One page"), ...problems() },
});

const show = createRoute({
  method: "get",
  path: "/v1/{eco}/questions/{id}",
  operationId: "getQuestion",
  summary: "Get a question, or wait for its answer",
  description:
    "With `wait_ms` the answer comes when the question is over, or after that time with the question as it is then.",
  tags,
  ...secured("tasks:read"),
  request: {
    params: QuestionPath,
    query: z.strictObject({ wait_ms: wholeNumber(0, MAX_WAIT_MS, 0, "How long to wait for the answer") }),
  },
  responses: { 200: json(QuestionSchema, "The question"), ...problems(404) },
});

const answer = createRoute({
  method: "post",
  path: "/v1/{eco}/questions/{id}/answer",
  operationId: "answerQuestion",
  summary: "Answer a question",
  description:
    "The first answer counts. A later one is a 409 that says who answered and when; the same request with the same " +
    "`Idempotency-Key` is the same answer. A token that is bound to recipients answers their questions alone.",
  tags,
  ...secured("questions:answer"),
  request: { params: QuestionPath, body: jsonBody(inputOf(AnswerRequestSchema)) },
  responses: { 200: json(QuestionSchema, "The question with its answer"), ...problems(400, 404, 409, 413, 415) },
});

const cancel = createRoute({
  method: "post",
  path: "/v1/{eco}/questions/{id}/cancel",
  operationId: "cancelQuestion",
  summary: "Take a question back",
  description: "One that is over stays as it is. Tasks that wait for it come back without an answer.",
  tags,
  ...secured("tasks:write"),
  request: { params: QuestionPath },
  responses: { 200: json(QuestionSchema, "The question as it is now"), ...problems(404) },
});

export const questionRoutes = newApi()
  .openapi(ask, async (c) => {
    const { eco } = c.req.valid("param");
    const admitted = admitQuestion(await readJson(c.req.raw, { kind: "invalid-question", title: INVALID }), Date.now());
    if (!admitted.ok) throw invalid("invalid-question", INVALID, admitted.errors);
    const id = admitted.id ?? repeatable(c) ?? `q-${crypto.randomUUID()}`;
    const asked = await questions(c.env, eco).ask(id, admitted.terms, actorOf(c));
    if ("full" in asked) throw tooManyQuestions(asked.full);
    if ("other" in asked) throw anotherQuestion(id);
    const { state, expires_at } = asked.question;
    return c.json({ id, state, expires_at }, 201);
  })
  .openapi(list, async (c) => {
    const { eco } = c.req.valid("param");
    const { state, recipient, kind, limit, after } = c.req.valid("query");
    const bound = c.get("grant").recipients;
    const page = await questions(c.env, eco).list({ state, recipient, kind, limit, after, bound });
    return c.json(page, 200, nextLink(c.req.url, page.next));
  })
  .openapi(show, async (c) => {
    const { eco, id } = c.req.valid("param");
    const { wait_ms } = c.req.valid("query");
    return c.json(found(await questions(c.env, eco).show(id, wait_ms, c.get("grant").recipients), id), 200);
  })
  .openapi(answer, async (c) => {
    const { eco, id } = c.req.valid("param");
    const { answer: text, comment = null } = await readDocument(c.req.raw, AnswerRequest, "invalid-answer");
    const { recipients } = c.get("grant");
    const given = { answer: text, comment, by: actorOf(c), key: repeatable(c) ?? null };
    const reply = found(await questions(c.env, eco).answer(id, given, recipients), id);
    if ("foreign" in reply) throw new Refusal(notBound("recipients", recipients, reply.foreign));
    if ("refused" in reply) throw new Refusal(answerRefused(reply.refused, reply.question, reply.state));
    return c.json(reply.question, 200);
  })
  .openapi(cancel, async (c) => {
    const { eco, id } = c.req.valid("param");
    return c.json(found(await questions(c.env, eco).cancel(id, actorOf(c)), id), 200);
  });

function found<Answer extends object>(answer: Answer | null, id: string): Answer {
  if (answer === null) throw notFound(`No question "${id}". List the questions: GET /v1/{eco}/questions`);
  return answer;
}
