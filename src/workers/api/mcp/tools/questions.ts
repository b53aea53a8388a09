import * as z from "zod";
import { AnswerRequest, Question, QuestionPage } from "../../../../core/questions/api.ts";
import { Person, QuestionInput } from "../../../../core/questions/settings.ts";
import { QUESTION_STATES } from "../../../../core/questions/state.ts";
import { path } from "../edge-calls.ts";
import { defineTool, READS } from "../tool.ts";

/** Below the time after which clients give a call up. */
const MAX_WAIT_MS = 25_000;

const id = z.string().min(1).max(128).meta({ description: "Id of the question" });

const askHuman = defineTool({
  name: "ask_human",
  title: "Ask a person",
  description:
    `Asks a person or a role for a decision, and waits for the answer, ${MAX_WAIT_MS / 1_000} s at most. While \`state\` is open ` +
    "nobody has answered, which is no answer: call again with the same arguments and the `id` to go on waiting, or work on " +
    "something else. Give `options` where you can, and in `context` what helps to decide.",
  operations: ["askQuestion", "getQuestion"],
  scopes: ["tasks:write", "tasks:read"],
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  args: z.strictObject({
    ...QuestionInput.shape,
    wait_ms: z
      .int()
      .min(0)
      .max(MAX_WAIT_MS)
      .default(MAX_WAIT_MS)
      .meta({ description: "How long to wait; default 25000" }),
  }),
  answer: Question,
  run: async ({ wait_ms, ...question }, edge) => {
    // One id for all tries of this call: asked again under it, it is the same question.
    const body = { ...question, id: question.id ?? `mcp-${crypto.randomUUID()}` };
    const { content } = await edge({ method: "POST", path: "/questions", body });
    return edge({ method: "GET", path: path`/questions/${String(content.id)}`, query: { wait_ms: String(wait_ms) } });
  },
});

const listQuestions = defineTool({
  name: "list_questions",
  title: "List questions to people",
  description: "Lists questions, the newest first: what waits for whom, and what was answered by whom.",
  operations: ["listQuestions"],
  scopes: ["tasks:read"],
  annotations: READS,
  args: z.strictObject({
    state: z.enum(QUESTION_STATES).default("open").meta({ description: "Only questions in this state; default open" }),
    recipient: Person.optional().meta({ description: "Only questions that this person or role is asked" }),
    limit: z.int().min(1).max(100).default(20).meta({ description: "Most questions; default 20" }),
    after: z.string().max(20).optional().meta({ description: "`next` of the page before" }),
  }),
  answer: QuestionPage,
  run: ({ limit, ...query }, edge) =>
    edge({ method: "GET", path: "/questions", query: { ...query, limit: String(limit) } }),
});

const answerQuestion = defineTool({
  name: "answer_question",
  title: "Answer a question for a person",
  description:
    "Answers a question once, in the name of your person: only with what that person has said. A later answer is refused, and " +
    "says who answered.",
  operations: ["answerQuestion"],
  scopes: ["questions:answer"],
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  args: z.strictObject({ id, ...AnswerRequest.shape }),
  answer: Question,
  run: ({ id, ...body }, edge) => edge({ method: "POST", path: path`/questions/${id}/answer`, body }),
});

/** Questions to people. */
export const questionTools = [askHuman, listQuestions, answerQuestion];
