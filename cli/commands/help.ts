import { Command } from "commander";
import { nearest } from "../../src/core/problem/nearest.ts";
import { UsageError } from "../failure.ts";
import { manPage } from "../help/man-page.ts";
import { topicText } from "../help/topic-text.ts";
import { TOPICS } from "../help/topics.ts";
import { print } from "../output.ts";

export const helpCommand = () =>
  new Command("help")
    .summary("help for a command, or about a topic")
    .argument("[words...]", 'a command or a topic; "topics" lists those')
    .option("--man", "write the man page of the whole command, for man -l")
    .action(show);

async function show(words: readonly string[], { man }: { man?: true }, command: Command): Promise<void> {
  const root = command.parent ?? command;
  const [first] = words;
  if (man === true) return print(manPage(root, TOPICS, root.version() ?? "").trimEnd());
  if (first === undefined) return root.outputHelp();
  if (first === "topics") return print(topicList());
  const named = find(root, words);
  if (named !== undefined) return named.outputHelp();
  const topic = TOPICS.find(({ name }) => name === first);
  if (topic === undefined || words.length > 1) throw new UsageError(unknown(root, words));
  await print(topicText(topic, Math.min(100, process.stdout.columns ?? 80)));
}

function topicList(): string {
  const width = Math.max(...TOPICS.map(({ name }) => name.length));
  return TOPICS.map(({ name, summary }) => `${name.padEnd(width)}  ${summary}`).join("\n");
}

function find(from: Command, words: readonly string[]): Command | undefined {
  return words.reduce<Command | undefined>(
    (at, word) => at?.commands.find((sub) => sub.name() === word || sub.aliases().includes(word)),
    from,
  );
}

function unknown(root: Command, words: readonly string[]): string {
  const at = words.findIndex((_, index) => find(root, words.slice(0, index + 1)) === undefined);
  const above = find(root, words.slice(0, at)) ?? root;
  const names = [...above.commands.map((sub) => sub.name()), ...(above === root ? TOPICS.map(({ name }) => name) : [])];
  const meant = nearest(words[at] ?? "", names);
  const asked = words.slice(0, at + 1).join(" ");
  const hint = meant === undefined ? 'see "ganglion --help" and "ganglion help topics"' : `did you mean "${meant}"?`;
  return `no command and no topic is called "${asked}": ${hint}`;
}
