import { type Command, InvalidArgumentError } from "commander";
import { readJsonKeeping, refusalText } from "../../../src/core/json/read-json.ts";
import type { Question } from "../../../src/core/questions/api.ts";
import { UsageError } from "../../failure.ts";
import { print, printFields } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";

interface AskOptions {
  readonly to?: string;
  readonly option?: string[];
  readonly context?: unknown;
  readonly expires?: string;
  readonly onTimeout?: string;
  readonly remindAfter?: string;
  readonly escalateTo?: string;
  readonly escalateAfter?: string;
  readonly cause?: string;
  readonly id?: string;
  readonly wait?: true;
}

/** Exit code where the question is over and nobody answered: a script must not take that for an answer. */
export const NO_ANSWER = 3;

const collect = (text: string, before: string[] = []): string[] => [...before, text];

/** Gives a command what it needs to ask people. */
export const withQuestion = (command: Command) =>
  command
    .argument("[question]", "what a person is asked")
    .option("--to <recipient>", "the person or role that is asked, such as ops")
    .option("--option <answer>", "an answer that is allowed; may be repeated (default: any text)", collect)
    .option("--context <json>", "what helps to answer", json)
    .option("--expires <time>", "until when an answer is of use, such as 2h (default: 7d)")
    .option("--on-timeout <answer>", "the answer that silence is (default: none)")
    .option("--remind-after <time>", "remind the recipient each time this passes")
    .option("--escalate-to <recipient>", "who is asked too when nobody answers")
    .option("--escalate-after <time>", "when that is (default: half of the time until it expires)")
    .option("--cause <id>", "id of the signal that led to the question")
    .option("--id <id>", "your id of the question: asked again under it, it is the same question")
    .option("--wait", `wait for the answer, and print it; ends with ${NO_ANSWER} where there is none`)
    .addHelpText(
      "after",
      '\nAsks a person: ganglion ask "Deploy version 42?" --option yes --option no --to ops --wait\nWith --json: one document.',
    )
    .action((question: string | undefined, options: AskOptions, given: Command) => ask(question, options, given));

async function ask(question: string | undefined, options: AskOptions, command: Command): Promise<void> {
  if (question === undefined)
    throw new UsageError(
      'give a question for a person ("…" --to <recipient>), or one of the commands: see ganglion ask --help',
    );
  if (options.to === undefined) throw new UsageError("say who is asked: --to <person or role>, such as --to ops");
  const { questions } = clientFor(command);
  const { to, option, onTimeout, remindAfter, escalateTo, escalateAfter, wait, context, expires, cause, id } = options;
  const asked = await questions.ask({
    question,
    recipient: to,
    options: option,
    context,
    expires,
    on_timeout: onTimeout,
    remind_after: remindAfter,
    escalate_to: escalateTo,
    escalate_after: escalateAfter,
    cause,
    id,
  });
  if (wait !== true) {
    if (wantsJson(command)) return print(JSON.stringify(asked));
    return printFields({ id: asked.id, state: asked.state, until: asked.expires_at });
  }
  await tell(await questions.wait(asked.id), command);
}

/** The answer alone, so that a script can take it. */
async function tell(question: Question, command: Command): Promise<void> {
  await print(wantsJson(command) ? JSON.stringify(question) : (question.answer ?? ""));
  if (question.answer === null) process.exitCode = NO_ANSWER;
}

function json(text: string): unknown {
  const reading = readJsonKeeping(text);
  if (reading.ok) return reading.value;
  if (reading.malformed !== undefined) throw new InvalidArgumentError("Give JSON, such as '{\"version\": 42}'.");
  throw new InvalidArgumentError(refusalText(reading));
}
