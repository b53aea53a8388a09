import { formatTimestamp } from "../signals/timestamp.ts";
import type { PermissionRequest, QuestionState } from "./state.ts";
import { endText } from "./view.ts";

/** Why a message is sent. */
export type MessageKind = "asked" | "reminded" | "escalated" | "closed";

const TITLES: Readonly<Record<MessageKind, (recipient: string) => string>> = {
  asked: (recipient) => `Question for ${recipient}`,
  reminded: (recipient) => `Still open: question for ${recipient}`,
  escalated: (recipient) => `Nobody has answered: question for ${recipient}`,
  closed: (recipient) => `Resolved: question for ${recipient}`,
};

/** A permission is given with a token, never by a link: the message says how. */
const permissionFields = (id: string, { tool, preview }: PermissionRequest) => ({
  tool,
  ...(preview === null ? {} : { input_preview: preview }),
  decide_with: `ganglion permissions allow ${id}`,
});

/** `data` of a message for people. @param link - where to answer; `undefined`: nobody knows where people reach the edge */
export function questionMessage(
  ecosystem: string,
  id: string,
  kind: MessageKind,
  question: QuestionState,
  link: string | undefined,
): Record<string, unknown> {
  const { options, recipient, expiresMs, onTimeout, askedBy } = question;
  const about = {
    title: TITLES[kind](recipient),
    dedup_key: `ganglion/${ecosystem}/question/${id}`,
    question_id: id,
    asked_by: askedBy.name,
  };
  if (kind === "closed") return { ...about, text: `${question.question}\n${endText(question)}`, state: "resolved" };
  const { permission } = question;
  return {
    ...about,
    ...(permission === null ? {} : permissionFields(id, permission)),
    text: question.question,
    severity: "warning",
    state: "raised",
    ...(options === null ? {} : { options: options.join(", ") }),
    expires_at: formatTimestamp(expiresMs),
    ...(onTimeout === null ? {} : { silence_means: onTimeout }),
    ...(link === undefined ? {} : { link }),
  };
}
