import { Command, Option } from "commander";
import { QUESTION_STATES, type QuestionState } from "../../../src/core/questions/state.ts";
import { printLines, printTable } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";
import { questionColumns, showQuestion } from "./show-question.ts";

interface ListOptions {
  readonly state?: QuestionState["state"];
  readonly recipient?: string;
}

const id = ["<id>", "id of the question"] as const;

/** Questions of one list, at most: those beyond are no news for anybody. */
const LISTED = 500;

export const questionsCommand = () =>
  new Command("questions")
    .summary("questions to people: list, show, answer")
    .addHelpText("after", '\nWithout a command: lists the open ones. Ask one: ganglion ask "…" --to <recipient>')
    .action((_options: object, command: Command) => list({ state: "open" }, command))
    .addCommand(
      new Command("list")
        .summary("list questions, the newest first")
        .addOption(new Option("--state <state>", "only questions in this state").choices(QUESTION_STATES))
        .option("--recipient <recipient>", "only questions that this person or role is asked")
        .addHelpText("after", "\nWith --json: one question a line.")
        .action((options: ListOptions, command: Command) => list(options, command)),
    )
    .addCommand(
      new Command("show")
        .summary("show a question")
        .argument(...id)
        .option("--wait", "wait until it is over")
        .addHelpText("after", "\nWith --json: one document.")
        .action(async (question: string, { wait }: { wait?: true }, command: Command) => {
          const { questions } = clientFor(command);
          await showQuestion(await (wait === true ? questions.wait(question) : questions.show(question)), command);
        }),
    )
    .addCommand(
      new Command("answer")
        .summary("answer a question, once")
        .argument(...id)
        .argument("<answer>", "one of its options, where it has any")
        .option("--comment <text>", "what the asker should know beside it")
        .addHelpText("after", "\nWith --json: one document.")
        .action(async (question: string, answer: string, { comment }: { comment?: string }, command: Command) => {
          const options = comment === undefined ? {} : { comment };
          await showQuestion(await clientFor(command).questions.answer(question, answer, options), command);
        }),
    )
    .addCommand(
      new Command("cancel")
        .summary("take a question back")
        .argument(...id)
        .addHelpText("after", "\nWith --json: one document.")
        .action(async (question: string, _options: object, command: Command) =>
          showQuestion(await clientFor(command).questions.cancel(question), command),
        ),
    );

async function list(query: ListOptions, command: Command): Promise<void> {
  const { questions } = await clientFor(command).questions.list({ ...query, limit: LISTED });
  if (wantsJson(command)) return printLines(questions);
  await printTable(questions, questionColumns, "no questions");
}
