import { Command, CommanderError } from "commander";
import { COMMANDS } from "./commands/all.ts";
import { explain } from "./failure.ts";
import { remark } from "./output.ts";
import type { GlobalOptions } from "./settings.ts";
import { setLook } from "./terminal/look.ts";

/** Exit codes: 0 done, 1 refused or failed, 2 wrong usage. */
export async function main(argv: readonly string[]): Promise<void> {
  // `ganglion signals | head`: the reader closed the pipe. That is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    remark(`ganglion: the output cannot be written: ${error.message}`);
    process.exit(1);
  });
  // Remarks that nobody can read must not end a command that does its work.
  process.stderr.on("error", () => undefined);
  try {
    await (await program(argv.slice(2))).parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2; // commander has printed the reason already
      return;
    }
    const { text, exitCode } = explain(error);
    remark(`ganglion: ${text}`);
    process.exitCode = exitCode;
  }
}

/** The command with those of its sub-commands that `args` ask for. */
async function program(args: readonly string[]): Promise<Command> {
  const root = globalOptions(new Command("ganglion"))
    .description("Talk to a Ganglion edge: emit, read and follow signals, see gaps and decisions, queue tasks.")
    .addHelpText("after", "\nExit codes: 0 done, 1 refused or failed, 2 wrong usage.")
    .showHelpAfterError("(add --help for usage)")
    .hook("preAction", (_, command) => setLook({ wide: command.optsWithGlobals<GlobalOptions>().wide === true }));
  for (const command of await Promise.all(neededFor(args).map((load) => load()))) root.addCommand(command);
  throwInsteadOfExiting(root);
  return root;
}

/** The command that is called; all of them for the help, and for a word that is none of their names. */
function neededFor(args: readonly string[]) {
  const [name = "", next = ""] = globalOptions(new Command()).parseOptions([...args]).operands;
  const called = COMMANDS[name === "help" ? next : name];
  return called === undefined ? Object.values(COMMANDS) : [called];
}

const globalOptions = (command: Command) =>
  command
    .option("--url <url>", "URL of the edge (default: GANGLION_URL, or the edge on this machine)")
    .option("--token-file <file>", "file with the token (default: GANGLION_TOKEN, or the local edge's own)")
    .option("--ecosystem <name>", "name of the ecosystem (default: GANGLION_ECOSYSTEM, or default)")
    .option("--json", "for programs: JSON instead of tables")
    .option("--wide", "do not fit tables to the terminal");

/** Commander hands this down to subcommands that it makes itself, not to those it is given. */
function throwInsteadOfExiting(command: Command): void {
  command.exitOverride();
  for (const sub of command.commands) throwInsteadOfExiting(sub);
}
