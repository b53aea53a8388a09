import { formatTimestamp } from "../signals/timestamp.ts";
import type { QuestionEvent } from "./machine.ts";
import type { PermissionRequest, QuestionState } from "./state.ts";

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

const PERMISSION_NAMES: Readonly<Record<QuestionEvent, string>> = {
  asked: "Q_PERMISSION_ASKED",
  // Nobody is reminded of a permission, and nobody else is asked: it is of use for minutes.
  reminded: "Q_PERMISSION_ASKED",
  escalated: "Q_PERMISSION_ASKED",
  answered: "Q_PERMISSION_ANSWERED",
  expired: "Q_PERMISSION_EXPIRED",
  cancelled: "Q_PERMISSION_CANCELLED",
};

/** The signal that tells what happened to a question. Its cause is what led to the question, or that it was asked. */
export function questionSignal(id: string, event: QuestionEvent, state: QuestionState) {
  if (state.permission !== null) return permissionSignal(id, event, state, state.permission);
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

/** Who allowed or denied the use of which tool. What the tool was to be used with stands in the first signal alone. */
function permissionSignal(id: string, event: QuestionEvent, state: QuestionState, request: PermissionRequest) {
  const { recipient, expiresMs, answer, comment, closedBy, signal } = state;
  const { tool, description, preview, session } = request;
  const asked = event === "asked";
  const answered = event === "answered";
  return {
    signal: PERMISSION_NAMES[event],
    source: QUESTIONS_SOURCE,
    facts: {
      permission_id: id,
      tool,
      recipient,
      asked_by: state.askedBy.name,
      ...(session === null ? {} : { session }),
      ...(asked && description !== null ? { description } : {}),
      ...(asked && preview !== null ? { input_preview: preview } : {}),
      ...(asked ? { expires_at: formatTimestamp(expiresMs) } : {}),
      ...(answered
        ? {
            behavior: answer,
            answered_by: closedBy?.name ?? "",
            answered_by_id: closedBy?.id ?? "",
            way: closedBy?.way ?? "",
          }
        : {}),
      ...(answered && comment !== null ? { comment } : {}),
      ...(event === "cancelled" ? { cancelled_by: closedBy?.name ?? "" } : {}),
    },
    ...(signal === null ? {} : { cause: signal }),
  };
}
