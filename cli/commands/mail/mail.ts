import { Command } from "commander";
import { readJsonKeeping, refusalText } from "../../../src/core/json/read-json.ts";
import type { MailMessage, MailPage } from "../../../src/core/mail/api.ts";
import { milliseconds, wholeNumber } from "../../arguments.ts";
import { UsageError } from "../../failure.ts";
import { at, type Column, print, printFields, printLines, printTable, remark } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";

const WEEK_MS = 604_800_000;

interface SendOptions {
  readonly subject?: string;
  readonly from?: string;
  readonly id?: string;
  readonly replyTo?: string;
  readonly expires?: number;
  readonly within?: number;
  readonly readWithin?: number;
}

const send = () =>
  new Command("send")
    .summary("send a message to an agent, and wake it")
    .argument("<to>", "the recipient, by name")
    .argument("<text...>", "the message, or JSON")
    .option("--subject <text>", "in a few words")
    .option("--from <name>", "the sender (default: the token's own recipient, or its name)")
    .option("--reply-to <id>", "the message that this one answers")
    .option("--id <id>", "id of the message: it is sent once")
    .option(
      "--expires <length>",
      "it expires when nobody took it within this time (default: 7d)",
      milliseconds(1_000, WEEK_MS),
    )
    .option(
      "--within <length>",
      "undelivered for longer, it needs attention (default: 1h)",
      milliseconds(1_000, WEEK_MS),
    )
    .option("--read-within <length>", "unread for longer, it does, too", milliseconds(1_000, WEEK_MS))
    .addHelpText("after", "\nWith --json: one document.")
    .action(async (to: string, text: string[], options: SendOptions, command: Command) => {
      const { subject, from, id, replyTo, expires, within, readWithin } = options;
      const sent = await clientFor(command).mail.send({
        to,
        body: bodyOf(text.join(" ")),
        ...(subject && { subject }),
        ...(from && { from }),
        ...(id && { id }),
        ...(replyTo && { reply_to: replyTo }),
        ...(expires && { expires_ms: expires }),
        ...(within && { deliver_within_ms: within }),
        ...(readWithin && { read_within_ms: readWithin }),
      });
      if (wantsJson(command)) return print(JSON.stringify(sent));
      const { hosts, next_wake_at, known, ...fields } = sent;
      await printFields({
        ...fields,
        ...(known ? { known: "it was sent before" } : {}),
        ...(hosts.length > 0 ? { hosts: hosts.join(", ") } : {}),
        ...(next_wake_at === null ? {} : { next_wake_at }),
      });
    });

/** A text that is a JSON object or list is meant as such. Numbers that JavaScript would change stay texts of their digits. */
function bodyOf(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  const reading = readJsonKeeping(text);
  if (reading.ok) return reading.value;
  if (reading.malformed !== undefined) return text;
  throw new UsageError(`the message: ${refusalText(reading)}`);
}

const columns: readonly Column<MailMessage>[] = [
  ["ID", ({ id }) => id, "key"],
  ["STATE", ({ state }) => state, "state"],
  ["FROM", ({ from }) => from],
  ["TO", ({ to }) => to],
  ["SENT", ({ sent_at }) => at(sent_at)],
  ["MESSAGE", ({ subject, body }) => subject ?? (typeof body === "string" ? body : JSON.stringify(body)), "text"],
];

interface ListOptions {
  readonly to?: string;
  readonly from?: string;
  readonly thread?: string;
  readonly ended?: true;
  readonly limit?: number;
}

const list = () =>
  new Command("list")
    .summary("list open messages, oldest first")
    .option("--to <name>", "only messages to this recipient: its inbox")
    .option("--from <name>", "only messages of this sender: its outbox")
    .option("--thread <id>", "only messages of this thread")
    .option("--ended", "those that have ended, the last first, instead")
    .option("--limit <n>", "most messages (default: 50)", wholeNumber(1, 1_000))
    .addHelpText("after", "\nWith --json: one message a line.")
    .action(async ({ limit = 50, ...query }: ListOptions, command: Command) => {
      const { mail } = clientFor(command);
      const messages: MailMessage[] = [];
      let after: string | undefined;
      do {
        const page: MailPage = await mail.list({
          ...query,
          limit: Math.min(limit - messages.length, 100),
          ...(after === undefined ? {} : { after }),
        });
        messages.push(...page.messages);
        after = page.next ?? undefined;
      } while (after !== undefined && messages.length < limit);
      if (wantsJson(command)) await printLines(messages);
      else await printTable(messages, columns, "no messages");
      if (after !== undefined) remark("there may be more messages: raise --limit");
    });

const receive = () =>
  new Command("receive")
    .summary("take the new messages of a recipient: they are delivered then")
    .argument("<recipient>")
    .option("--wait <length>", "wait for a message, 30s at most", milliseconds(0, 30_000))
    .option("--max <n>", "most messages (default: 10)", wholeNumber(1, 100))
    .addHelpText("after", "\nWith --json: one message a line.")
    .action(async (recipient: string, { wait = 0, max = 10 }: { wait?: number; max?: number }, command: Command) => {
      const messages = await clientFor(command).mail.receive(recipient, { waitMs: wait, max });
      if (wantsJson(command)) return printLines(messages);
      await printTable(messages, columns, "no new messages");
    });

const show = () =>
  new Command("show")
    .summary("show a message with its states")
    .argument("<id>")
    .addHelpText("after", "\nWith --json: one document.")
    .action(async (id: string, _options: object, command: Command) =>
      shown(await clientFor(command).mail.show(id), command),
    );

const read = () =>
  new Command("read")
    .summary("say that messages were read, and show them")
    .argument("<id...>")
    .addHelpText("after", "\nWith --json: one message a line.")
    .action(async (ids: string[], _options: object, command: Command) => {
      for (const id of ids) await shown(await clientFor(command).mail.read(id), command);
    });

const act = () =>
  new Command("act")
    .summary("say that what a message asked for is done")
    .argument("<id>")
    .option("--result <text>", "what was done: a text, or JSON; the sender finds it at the message")
    .addHelpText("after", "\nWith --json: one document.")
    .action(async (id: string, { result }: { result?: string }, command: Command) =>
      shown(await clientFor(command).mail.act(id, result === undefined ? undefined : bodyOf(result)), command),
    );

async function shown(message: MailMessage, command: Command): Promise<void> {
  if (wantsJson(command)) return print(JSON.stringify(message));
  const fields = Object.entries(message).filter(([, value]) => value !== null && value !== undefined);
  await printFields(Object.fromEntries(fields));
}

export const mailCommand = () => {
  const command = new Command("mail").summary("send messages to agents, and read theirs");
  for (const one of [send(), list(), receive(), show(), read(), act()]) command.addCommand(one);
  return command;
};
