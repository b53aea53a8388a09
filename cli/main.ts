import { CommanderError } from "commander";
import { COMPLETE, complete } from "./completion/complete.ts";
import { explain } from "./failure.ts";
import { remark } from "./output.ts";
import { program } from "./program.ts";

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
    const [asked, ...words] = argv.slice(2);
    // Not for commander, which would take options among the words for its own.
    if (asked === COMPLETE) return await complete(await program(words.slice(0, -1)), words);
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
