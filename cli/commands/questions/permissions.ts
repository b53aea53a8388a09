import { Command, Option } from "commander";
import type { Question } from "../../../src/core/questions/api.ts";
import type { Behavior } from "../../../src/core/questions/permission.ts";
import { QUESTION_STATES, type QuestionState } from "../../../src/core/questions/state.ts";
import { at, type Column, print, printFields, printLines, printTable } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";

interface ListOptions {
  readonly state?: QuestionState["state"];
  readonly recipient?: string;
}

const id = ["<id>", "id of the request"] as const;
/** Requests of one list, at most: those beyond are no news for anybody. */
const LISTED = 500;

export const permissionsCommand = () =>
  new Command("permissions")
    .summary("what sessions of models ask permission for: list, show, allow, deny")
    .addHelpText(
      "after",
      "\nWithout a command: lists the open requests. They come from ganglion mcp --relay-permissions.",
    )
    .action((_options: object, command: Command) => list({ state: "open" }, command))
    .addCommand(
      new Command("list")
        .summary("list requests, the newest first")
        .addOption(new Option("--state <state>", "only requests in this state").choices(QUESTION_STATES))
        .option("--recipient <recipient>", "only requests to this person or role")
        .addHelpText("after", "\nWith --json: one request a line.")
        .action((options: ListOptions, command: Command) => list(options, command)),
    )
    .addCommand(
      new Command("show")
        .summary("show a request")
        .argument(...id)
        .addHelpText("after", "\nWith --json: one document.")
        .action(async (request: string, _options: object, command: Command) =>
          show(await clientFor(command).questions.show(request), command),
        ),
    )
    .addCommand(deciding("allow", "let the tool be used, this once"))
    .addCommand(deciding("deny", "do not let the tool be used"));

function deciding(behavior: Behavior, summary: string): Command {
  return new Command(behavior)
    .summary(summary)
    .argument(...id)
    .option("--comment <text>", "what is to be recorded beside it")
    .addHelpText("after", "\nNeeds the scope permissions:answer. With --json: one document.")
    .action(async (request: string, { comment }: { comment?: string }, command: Command) => {
      const options = comment === undefined ? {} : { comment };
      await show(await clientFor(command).permissions.answer(request, behavior, options), command);
    });
}

const columns: readonly Column<Question>[] = [
  ["ID", ({ id }) => id, "key"],
  ["STATE", ({ state, answer }) => answer ?? state, "state"],
  ["TOOL", ({ permission }) => permission?.tool_name],
  ["FOR", ({ recipient }) => recipient],
  ["UNTIL", ({ expires_at, closed_at }) => at(closed_at ?? expires_at)],
  ["INPUT", ({ permission }) => permission?.input_preview, "text"],
];

async function list(query: ListOptions, command: Command): Promise<void> {
  const { questions } = await clientFor(command).questions.list({ ...query, kind: "permission", limit: LISTED });
  if (wantsJson(command)) return printLines(questions);
  await printTable(questions, columns, "no requests of permission");
}

async function show(question: Question, command: Command): Promise<void> {
  if (wantsJson(command)) return print(JSON.stringify(question));
  const { id, recipient, state, answer, comment, asked_by, asked_at, expires_at, permission, answered_by } = question;
  await printFields({
    id,
    tool: permission?.tool_name,
    description: permission?.description ?? undefined,
    input: permission?.input_preview ?? undefined,
    session: permission?.session ?? undefined,
    for: recipient,
    state: answer ?? state,
    comment,
    "decided by": answered_by === null ? undefined : `${answered_by.name} (${answered_by.way})`,
    "decided at": question.answered_at ?? undefined,
    "asked by": asked_by,
    "asked at": asked_at,
    until: expires_at,
  });
}
