import type { Command } from "commander";
import type { Question } from "../../../src/core/questions/api.ts";
import { at, type Column, print, printFields } from "../../output.ts";
import { wantsJson } from "../../settings.ts";

const answeredBy = ({ answered_by: by }: Question) =>
  by === null ? undefined : by.way === "timeout" ? "nobody: silence means this" : `${by.name} (${by.way})`;

export const questionColumns: readonly Column<Question>[] = [
  ["ID", ({ id }) => id, "key"],
  ["STATE", ({ state }) => state, "state"],
  ["FOR", ({ recipient }) => recipient],
  ["ANSWER", ({ answer }) => answer],
  ["UNTIL", ({ expires_at, closed_at }) => at(closed_at ?? expires_at)],
  ["QUESTION", ({ question }) => question, "text"],
];

export async function showQuestion(question: Question, command: Command): Promise<void> {
  if (wantsJson(command)) return print(JSON.stringify(question));
  const { id, recipient, options, state, answer, comment, asked_by, asked_at, expires_at } = question;
  await printFields({
    id,
    question: question.question,
    for: question.escalated_at === null ? recipient : `${recipient}, ${question.escalate_to}`,
    options: options?.join(", "),
    context: question.context === undefined ? undefined : JSON.stringify(question.context),
    state,
    answer: answer ?? undefined,
    comment,
    "answered by": answeredBy(question),
    "answered at": question.answered_at ?? undefined,
    "asked by": asked_by,
    "asked at": asked_at,
    until: expires_at,
    "silence means": question.on_timeout ?? "no answer",
    reminders: question.reminders,
  });
}
