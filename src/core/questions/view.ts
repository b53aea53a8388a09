import type { AwaitedAnswer } from "../queue/awaited-answer.ts";
import { formatTimestamp } from "../signals/timestamp.ts";
import type { Question } from "./api.ts";
import type { PermissionRequest, QuestionState } from "./state.ts";

const timeOf = (ms: number | null) => (ms === null ? null : formatTimestamp(ms));

/** A question as callers see it. */
export function questionView(id: string, state: QuestionState): Question {
  const { contextJson, comment, closedBy, closedMs } = state;
  const answered = state.state === "answered";
  return {
    id,
    question: state.question,
    recipient: state.recipient,
    options: state.options,
    ...(contextJson === null ? {} : { context: JSON.parse(contextJson) as unknown }),
    state: state.state,
    answer: state.answer,
    ...(comment === null ? {} : { comment }),
    answered_by: answered && closedBy !== null ? { name: closedBy.name, way: closedBy.way } : null,
    answered_at: answered ? timeOf(closedMs) : null,
    asked_by: state.askedBy.name,
    asked_at: formatTimestamp(state.askedMs),
    expires_at: formatTimestamp(state.expiresMs),
    closed_at: timeOf(closedMs),
    on_timeout: state.onTimeout,
    reminders: state.reminders,
    escalate_to: state.escalateTo,
    escalated_at: timeOf(state.escalatedMs),
    cause: state.cause,
    signal: state.signal,
    ...(state.permission === null ? {} : { permission: permissionView(state.permission) }),
  };
}

const permissionView = ({ tool, description, preview, session }: PermissionRequest) => ({
  tool_name: tool,
  description,
  input_preview: preview,
  session,
});

/** What a task is given that waited for the question. @returns `undefined`: the question is open */
export function taskAnswer(
  id: string,
  { state, answer, comment, closedBy, closedMs }: QuestionState,
): AwaitedAnswer | undefined {
  if (state === "open") return undefined;
  const by = closedBy?.name ?? null;
  return {
    question: id,
    state,
    answer,
    answered_by: by,
    ...(comment === null ? {} : { comment }),
    at: formatTimestamp(closedMs ?? 0),
  };
}

/** Who answered, and when, in a sentence. */
export function endText({ state, answer, closedBy, closedMs }: QuestionState): string {
  const at = formatTimestamp(closedMs ?? 0);
  if (state === "expired") return `It expired at ${at}, and nobody had answered.`;
  if (state === "cancelled") return `${closedBy?.name ?? "Its asker"} took it back at ${at}.`;
  if (closedBy?.way === "timeout") return `Nobody had answered by ${at}, which means "${answer}", as its asker said.`;
  const way = closedBy?.way === "link" ? " (by a link)" : closedBy?.way === "rule" ? " (a rule)" : "";
  return `${closedBy?.name}${way} answered "${answer}" at ${at}.`;
}
