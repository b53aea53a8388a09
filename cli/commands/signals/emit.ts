import { Command } from "commander";
import { fact, facts, time } from "../../arguments.ts";
import { UsageError } from "../../failure.ts";
import { print, printFields } from "../../output.ts";
import { clientFor, defaultSource, type GlobalOptions } from "../../settings.ts";
import { emitLines } from "./emit-lines.ts";

interface EmitOptions extends GlobalOptions {
  readonly facts?: Record<string, unknown>;
  readonly fact?: Record<string, unknown>;
  readonly source?: string;
  readonly id?: string;
  readonly cause?: string;
  readonly timestamp?: string;
}

export const emitCommand = () =>
  new Command("emit")
    .summary("emit a signal")
    .description(
      "Emit a signal; with -, emit signals from standard input, one JSON object per line, as they come. Returns when they are durable.",
    )
    .argument("<signal>", "name of the signal, such as Q_DREAM_TRIGGER, or - to read lines")
    .option("--facts <json>", "facts of the signal, as a JSON object", facts)
    .option(
      "--fact <name=value>",
      "one fact; repeat the option for more. Numbers, true, null and JSON are parsed; a number that would change is text",
      fact,
    )
    .option("--source <name>", "source of the signal (default: GANGLION_HOST_ID, or this host's name)")
    .option("--id <id>", "id of the signal: emitting the same id again does nothing (default: a new id)")
    .option("--cause <id>", "id of the signal that led to it")
    .option("--timestamp <time>", "event time (default: now)", time)
    .addHelpText("after", "\nWith --json: the edge's answers, one document per request.")
    .action(async (name: string, options: EmitOptions, command: Command) => {
      const client = clientFor(command);
      const json = command.optsWithGlobals<GlobalOptions>().json === true;
      const { source = defaultSource(), id, cause, timestamp } = options;
      if (name === "-") {
        requireLineOptions(options);
        return emitLines(client, { source, json });
      }
      const result = await client.emit({
        signal: name,
        source,
        facts: { ...options.facts, ...options.fact },
        ...(id === undefined ? {} : { id }),
        ...(cause === undefined ? {} : { cause }),
        ...(timestamp === undefined ? {} : { timestamp }),
      });
      if (json) return print(JSON.stringify(result));
      await printFields({
        id: result.ids[0],
        seq: result.last_seq,
        ...(result.duplicates > 0 ? { note: "duplicate: the log had this id already" } : {}),
      });
    });

/** @throws UsageError for options that apply to a single signal */
function requireLineOptions(options: EmitOptions): void {
  const single = (["facts", "fact", "id", "cause", "timestamp"] as const).filter((name) => options[name] !== undefined);
  if (single.length > 0)
    throw new UsageError(
      `--${single[0]} does not go with -: put ${single[0] === "fact" ? "facts" : single[0]} into each line`,
    );
}
