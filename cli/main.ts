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
    const look = async () => (await program(argv.slice(2))).parseAsync(argv);
    await (isWatched(argv) ? watched(look, argv.includes("--json")) : look());
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2; // commander has printed the reason already
      return;
    }
    const { text, exitCode } = explain(error);
    remark(`ganglion: ${(await missingName(error)) ?? text}`);
    process.exitCode = exitCode;
  }
}

/** Whether a view is to be watched, before the arguments are read as a whole. `attention` is followed by the client itself. */
function isWatched(argv: readonly string[]): boolean {
  const words = argv.slice(2, argv.includes("--") ? argv.indexOf("--") : undefined);
  return words.includes("--watch") && !words.some((word) => ["attention", "problems", "--help", "-h"].includes(word));
}

async function watched(look: () => Promise<unknown>, isJson: boolean): Promise<void> {
  const { watch } = await import("./watch/watch.ts");
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  try {
    await watch(look, stopping.signal, isJson);
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
    stopping.abort();
  }
}

/** The name that the edge does not know, and the one that was probably meant. What explains it is loaded only now. */
async function missingName(error: unknown): Promise<string | undefined> {
  if (!(error instanceof Error) || error.name !== "ApiProblem") return undefined;
  const { explainMissing } = await import("./missing.ts");
  const { clientInUse } = await import("./settings.ts");
  try {
    return await explainMissing(error, clientInUse());
  } catch {
    return undefined; // the edge has gone since: what it said first is what counts
  }
}
