import { type Problem, problem } from "../../../core/problem/problem.ts";
import type { Question } from "../../../core/questions/api.ts";
import type { AnswerRefusal } from "../../../core/questions/machine.ts";
import type { QuestionState } from "../../../core/questions/state.ts";
import { endText } from "../../../core/questions/view.ts";

/** Why an answer does not count: who answered, and when, or what the answers are. */
export function answerRefused(
  refused: AnswerRefusal,
  { answer, answered_by, answered_at, options, closed_at }: Question,
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
