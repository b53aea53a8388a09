import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { nearest } from "../src/core/problem/nearest.ts";
import { ALIASES, COMMANDS } from "./commands/all.ts";
import { UsageError } from "./failure.ts";
import type { GlobalOptions } from "./settings.ts";
import { setLook } from "./terminal/look.ts";

/** The command with those of its sub-commands that `args` ask for. */
export async function program(args: readonly string[]): Promise<Command> {
  return assembled(await Promise.all(neededFor(args).map((load) => load())));
}

function assembled(commands: readonly Command[]): Command {
  const root = globalOptions(new Command("ganglion"))
    .description("Talk to a Ganglion edge: emit, read and follow signals, see gaps and decisions, queue tasks.")
    .version(version(), "--version", "show the version")
    .helpCommand(false)
    .addHelpText("after", '\nExit codes: 0 done, 1 refused or failed, 2 wrong usage. More: "ganglion help topics".')
    .hook("preAction", async (_, command) => {
      const { wide, watch } = command.optsWithGlobals<GlobalOptions>();
      setLook({ wide: wide === true, watched: watch === true });
      checkStretch(command.optsWithGlobals());
      if (watch === true && command.name() !== "attention") (await import("./watch/watch.ts")).noteView(command);
    });
  for (const command of commands) root.addCommand(command);
  prepare(root);
  return root;
}

/** The command that is called; all of them for the help, and for a word that is none of their names. */
function neededFor(args: readonly string[]) {
  const [name = "", next = ""] = operandsOf(args);
  const called = (name === "help" ? [name, next] : [name]).map((each) => {
    const own = Object.hasOwn(ALIASES, each) ? (ALIASES[each] ?? each) : each;
    return Object.hasOwn(COMMANDS, own) ? COMMANDS[own] : undefined;
  });
  return called.every((load) => load !== undefined) ? called : Object.values(COMMANDS);
}

/** The words that are no options. An option without its value is told of when the command itself is parsed. */
function operandsOf(args: readonly string[]): readonly string[] {
  const reader = globalOptions(new Command())
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  try {
    return reader.parseOptions([...args]).operands;
  } catch (error) {
    if (error instanceof CommanderError) return [];
    throw error;
  }
}

const globalOptions = (command: Command) =>
  command
    .option("--url <url>", "URL of the edge (default: the context's, GANGLION_URL, or the edge on this machine)")
    .option(
      "--token-file <file>",
      "file with the token (default: the context's, GANGLION_TOKEN, or the local edge's own)",
    )
    .option("--ecosystem <name>", "name of the ecosystem (default: the context's, GANGLION_ECOSYSTEM, or default)")
    .option("--context <name>", "edge by a name of yours (default: GANGLION_CONTEXT, or the one in use)")
    .option("--json", "for programs: JSON instead of tables")
    .option("--wide", "do not fit tables to the terminal")
    .option("--watch", "show a view again each time that it has changed, until Ctrl-C")
    .option(
      "--watch-every <time>",
      "with --watch: how often it is read (default: 2s, or when a stream tells of a change)",
    );

/** A stretch of time that ends before it begins holds nothing: that is hardly what was meant. */
function checkStretch({ since, until }: { readonly since?: unknown; readonly until?: unknown }): void {
  if (typeof since === "string" && typeof until === "string" && until <= since)
    throw new UsageError(`--until ${until} is not after --since ${since}: give a later one, or leave it out`);
}

function version(): string {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return String(version);
}

/** Commander hands none of this down to sub-commands that it is given. */
function prepare(command: Command): void {
  command
    .exitOverride()
    .showHelpAfterError("(add --help for usage)")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: (text, write) => write(betterError(command, text)) });
  for (const sub of command.commands) prepare(sub);
}

/** A command that does something by itself and has sub-commands, too, counts a mistyped one as an argument too many. */
function betterError(command: Command, text: string): string {
  if (!text.startsWith("error: too many arguments") || command.commands.length === 0) return text;
  const word = command.args[0] ?? "";
  const names = command.commands.flatMap((sub) => [sub.name(), ...sub.aliases()]);
  const meant = nearest(word, names);
  // Of a view such as `gaps [name]` the first word may be a name.
  if (meant === undefined && command.registeredArguments.length > 0) return text;
  return `error: unknown command '${word}'\n${meant === undefined ? `(There are ${names.join(", ")})` : `(Did you mean ${meant}?)`}\n`;
}
