import { type Problem, problem } from "../../../core/problem/problem.ts";
import type { Question } from "../../../core/questions/api.ts";
import type { AnswerRefusal } from "../../../core/questions/machine.ts";
import type { QuestionState } from "../../../core/questions/state.ts";
import { endText } from "../../../core/questions/view.ts";
import { Refusal } from "../http/refusal.ts";

const ONLY_PERMITTED =
  "The question asks for permission to use a tool. It is answered by POST /v1/{eco}/permissions/{id}/answer, with a token that " +
  "has the scope permissions:answer.";
const NOT_THE_ASKER =
  "The token is the one with which the request was made. Decide with another one that has the scope permissions:answer, or in " +
  "the dashboard.";

export const anotherQuestion = (id: string) =>
  new Refusal(
    problem(
      "question-differs",
      409,
      "The id is that of another question",
      `The question "${id}" has another text, recipient, context, options or meaning of silence: give this one an id of its own.`,
    ),
  );

export const tooManyQuestions = (most: number) =>
  new Refusal(
    problem(
      "too-many-questions",
      409,
      "Too many questions",
      `An ecosystem has ${most} open questions at most: answer some, or take them back.`,
    ),
  );

/** Why an answer does not count: who answered, and when, or what the answers are. */
export function answerRefused(
  refused: AnswerRefusal,
  { answer, answered_by, answered_at, options, closed_at, permission }: Question,
  state: QuestionState,
): Problem {
  switch (refused) {
    case "answered":
      return problem("question-answered", 409, "The question is answered", endText(state), {
        answer,
        answered_by: answered_by?.name,
        answered_way: answered_by?.way,
        answered_at,
      });
    case "expired":
      return problem("question-expired", 409, "The question has expired", endText(state), { expired_at: closed_at });
    case "cancelled":
      return problem("question-cancelled", 409, "The question was taken back", endText(state), {
        cancelled_at: closed_at,
      });
    case "kind":
      return permission === undefined
        ? problem(
            "no-permission",
            409,
            "It is no request of permission",
            "Answer it: POST /v1/{eco}/questions/{id}/answer",
          )
        : problem("no-scope", 403, "The token lacks the scope", ONLY_PERMITTED, { scope: "permissions:answer" });
    case "asker":
      return problem("asker", 403, "Who asks for a permission does not give it", NOT_THE_ASKER);
    case "option":
      return problem(
        "invalid-answer",
        422,
        "The answer is not valid",
        `/answer: give one of ${(options ?? []).join(", ")}.`,
        {
          errors: [{ pointer: "/answer", message: `give one of ${(options ?? []).join(", ")}` }],
          options,
        },
      );
  }
}
