import { createInterface } from "node:readline";
import { Command } from "commander";
import type { Client } from "../../../src/client/client.ts";
import { ApiProblem } from "../../../src/client/http/problem-errors.ts";
import { LIMITS } from "../../../src/core/signals/limits.ts";
import type { SignalInput } from "../../../src/core/signals/signal.ts";
import { fact, facts, time } from "../../arguments.ts";
import { explain, Failure, UsageError } from "../../failure.ts";
import { print, printFields } from "../../output.ts";
import { clientFor, defaultSource, type GlobalOptions } from "../../settings.ts";

interface EmitOptions extends GlobalOptions {
  readonly facts?: Record<string, unknown>;
  readonly fact?: Record<string, unknown>;
  readonly source?: string;
  readonly id?: string;
  readonly cause?: string;
  readonly timestamp?: string;
}

/** Below the request's limit, so that ids and commas still fit. */
const BATCH_BYTES = LIMITS.batchBytes * 0.75;
const BATCH_SIGNALS = 500;

export const emitCommand = () =>
  new Command("emit")
    .summary("emit a signal")
    .description(
      "Emit a signal; with -, emit signals from standard input, one JSON object per line. Returns when they are durable.",
    )
    .argument("<signal>", "name of the signal, such as Q_DREAM_TRIGGER, or - to read lines")
    .option("--facts <json>", "facts of the signal, as a JSON object", facts)
    .option(
      "--fact <name=value>",
      "one fact; repeat the option for more. Numbers, true, null and JSON are parsed",
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
      if (name === "-") return emitLines(client, options, json);
      const { source = defaultSource(), id, cause, timestamp } = options;
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

async function emitLines(client: Client, options: EmitOptions, json: boolean): Promise<void> {
  const single = (["facts", "fact", "id", "cause", "timestamp"] as const).filter((name) => options[name] !== undefined);
  if (single.length > 0)
    throw new UsageError(
      `--${single[0]} does not go with -: put ${single[0] === "fact" ? "facts" : single[0]} into each line`,
    );
  let batch: { line: number; signal: SignalInput }[] = [];
  let bytes = 0;
  let accepted = 0;
  let duplicates = 0;
  const flush = async () => {
    if (batch.length === 0) return;
    const result = await client.emit(batch.map(({ signal }) => signal)).catch((error: unknown) => {
      throw lineFailure(error, batch, accepted + duplicates);
    });
    accepted += result.accepted;
    duplicates += result.duplicates;
    if (json) await print(JSON.stringify(result));
    batch = [];
    bytes = 0;
  };
  let line = 0;
  for await (const text of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1;
    if (text.trim() === "") continue;
    const size = Buffer.byteLength(text);
    if (batch.length === BATCH_SIGNALS || bytes + size > BATCH_BYTES) await flush();
    batch.push({ line, signal: parseLine(text, line, accepted + duplicates, options.source) });
    bytes += size;
  }
  await flush();
  if (!json) await print(`Accepted: ${accepted}\nDuplicates: ${duplicates}`);
}

function parseLine(text: string, line: number, before: number, source: string | undefined): SignalInput {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Failure(`line ${line} is not JSON${outcomeSoFar(before)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Failure(`line ${line} is not a JSON object${outcomeSoFar(before)}`);
  }
  // The edge checks the other fields.
  return { source: source ?? defaultSource(), ...value } as SignalInput;
}

/** Turns a refusal, which points into the batch that was sent, into the numbers of the lines that were read. */
function lineFailure(error: unknown, batch: readonly { line: number }[], before: number): Failure {
  const errors = error instanceof ApiProblem ? (error.problem.errors ?? []) : [];
  const lines = errors.map(({ pointer, message }) => {
    const [, index, rest] = /^\/(\d+)(.*)$/.exec(pointer) ?? [];
    return `line ${batch[Number(index)]?.line ?? batch[0]?.line}: ${rest ? `${rest}: ` : ""}${message}`;
  });
  return new Failure((lines.length > 0 ? lines.join("\n") : explain(error).text) + outcomeSoFar(before));
}

const outcomeSoFar = (count: number) =>
  count > 0 ? `\n${count} signals before it were emitted` : "\nnothing was emitted";
