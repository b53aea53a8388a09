import { formatTimestamp } from "../signals/timestamp.ts";
import type { QuestionEvent } from "./machine.ts";
import type { QuestionState } from "./state.ts";

/** Source of all signals about questions. */
export const QUESTIONS_SOURCE = "ganglion/questions";

const NAMES: Readonly<Record<QuestionEvent, string>> = {
  asked: "Q_QUESTION_ASKED",
  reminded: "Q_QUESTION_REMINDED",
  escalated: "Q_QUESTION_ESCALATED",
  answered: "Q_QUESTION_ANSWERED",
  expired: "Q_QUESTION_EXPIRED",
  cancelled: "Q_QUESTION_CANCELLED",
};

/** The signal that tells what happened to a question. Its cause is what led to the question, or that it was asked. */
export function questionSignal(id: string, event: QuestionEvent, state: QuestionState) {
  const { question, recipient, options, contextJson, expiresMs, answer, comment, closedBy, escalateTo } = state;
  const asked = event === "asked";
  const cause = asked ? state.cause : state.signal;
  return {
    signal: NAMES[event],
    source: QUESTIONS_SOURCE,
    facts: {
      question_id: id,
      question,
      recipient,
      asked_by: state.askedBy.name,
      ...(options === null ? {} : { options }),
      ...(asked && contextJson !== null ? { context: JSON.parse(contextJson) as unknown } : {}),
      ...(state.state === "open" ? { expires_at: formatTimestamp(expiresMs) } : {}),
      ...(event === "reminded" ? { reminders: state.reminders } : {}),
      ...(event === "escalated" ? { escalate_to: escalateTo } : {}),
      ...(event === "answered" ? { answer, answered_by: closedBy?.name ?? "", way: closedBy?.way ?? "" } : {}),
      ...(event === "answered" && comment !== null ? { comment } : {}),
      ...(event === "cancelled" ? { cancelled_by: closedBy?.name ?? "" } : {}),
    },
    ...(cause === null ? {} : { cause }),
  };
}
