import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import { Command, Option } from "commander";
import type { Export } from "../../../src/core/telemetry/api.ts";
import { PAYLOADS, type Payload } from "../../../src/core/telemetry/span.ts";
import { lengthOfTime, list } from "../../arguments.ts";
import { Failure, UsageError } from "../../failure.ts";
import { print, printFields } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";
import { readSecret } from "../secret-file.ts";

interface SetOptions {
  readonly langfuse?: boolean;
  readonly keysFile?: string;
  readonly headersFile?: string;
  readonly payload?: Payload;
  readonly interval?: number;
  readonly reactions?: string[];
}

export const exportCommand = () =>
  new Command("export")
    .summary("export finished tasks, decisions, reactions and questions to models as OpenTelemetry spans")
    .addHelpText("after", "\nWithout a command: shows the export. To copy an ecosystem: ganglion ecosystem export.")
    .action((_options: object, command: Command) => status(command))
    .addCommand(
      new Command("status")
        .summary("where finished work is exported to, and how that goes")
        .addHelpText("after", "\nWith --json: one document.")
        .action((_options: object, command: Command) => status(command)),
    )
    .addCommand(
      new Command("set")
        .summary("export what ends from now on to an OTLP receiver, or to Langfuse")
        .argument("[endpoint]", "URL of the receiver; /v1/traces is added where it is missing")
        .option("--langfuse", "the receiver is Langfuse (default endpoint: https://cloud.langfuse.com)")
        .option("--keys-file <file>", "file with <public key>:<secret key> of Langfuse; - reads the standard input")
        .option("--headers-file <file>", "file with headers, one a line (Name: value); - reads the standard input")
        .addOption(
          new Option(
            "--payload <what>",
            "what of payloads, results, prompts and errors is sent (default: none)",
          ).choices(PAYLOADS),
        )
        .option("--interval <time>", "how often, such as 30s (default: 60s)", lengthOfTime)
        .option("--reactions <patterns>", "further signals by which reactions tell their end", list)
        .addHelpText("after", "\nHeaders that are not given stay where the URL stays. With --json: one document.")
        .action(async (endpoint: string | undefined, options: SetOptions, command: Command) => {
          const shown = await clientFor(command).telemetry.set({
            ...(endpoint === undefined ? {} : { endpoint }),
            ...(options.langfuse === true ? { preset: "langfuse" as const } : {}),
            ...(options.keysFile === undefined ? {} : await keysIn(options.keysFile)),
            ...(options.headersFile === undefined ? {} : { headers: await headersIn(options.headersFile) }),
            ...(options.payload === undefined ? {} : { payload: options.payload }),
            ...(options.interval === undefined ? {} : { interval_ms: options.interval }),
            ...(options.reactions === undefined ? {} : { reactions: options.reactions }),
          });
          await show(shown, command);
        }),
    )
    .addCommand(
      new Command("off")
        .summary("export nothing any more, and forget the settings")
        .action(async (_options: object, command: Command) => {
          await clientFor(command).telemetry.off();
          if (wantsJson(command)) return print(JSON.stringify({ enabled: false }));
          await printFields({ export: "off" });
        }),
    )
    .addCommand(
      new Command("test")
        .summary("send one marked span now, and show what the receiver answers")
        .addHelpText("after", "\nExit code 1 when the receiver did not take the span. With --json: one document.")
        .action(async (_options: object, command: Command) => {
          const outcome = await clientFor(command).telemetry.test();
          if (wantsJson(command)) await print(JSON.stringify(outcome));
          else
            await printFields({
              delivered: outcome.delivered ? "yes" : "no",
              status: outcome.status,
              answer: outcome.answer,
              trace: outcome.trace_id,
              ms: outcome.duration_ms,
            });
          if (!outcome.delivered) throw new Failure(outcome.error ?? "the receiver did not take the span");
        }),
    );

async function status(command: Command): Promise<void> {
  await show(await clientFor(command).telemetry.show(), command);
}

async function show(shown: Export, command: Command): Promise<void> {
  if (wantsJson(command)) return print(JSON.stringify(shown));
  const { enabled, endpoint, preset, payload, interval_ms, header_names, health } = shown;
  if (!enabled) return printFields({ export: "off" });
  await printFields({
    export: endpoint,
    preset,
    payload,
    interval: interval_ms === undefined ? undefined : `${interval_ms / 1_000} s`,
    headers: header_names?.join(" "),
    exported: health?.exported,
    rejected: health?.rejected,
    dropped: health?.dropped,
    waiting: health?.waiting,
    "last success": health?.last_success_at,
    "failing since": health?.failing_since,
    "last error": health?.last_error,
    "next attempt": health?.retry_at,
  });
}

/** What stands on a command line is in the history of the shell, so keys come from files. */
async function keysIn(file: string): Promise<{ public_key: string; secret_key: string }> {
  const text = await readSecret(file, "pair of keys");
  const at = text.indexOf(":");
  if (at <= 0 || at === text.length - 1)
    throw new UsageError(`${file} does not hold <public key>:<secret key>, with a colon between them`);
  return { public_key: text.slice(0, at), secret_key: text.slice(at + 1) };
}

/** @throws UsageError with the number of the line, and never with what stands there */
async function headersIn(file: string): Promise<Record<string, string>> {
  let text: string;
  try {
    text = await (file === "-" ? readAll(process.stdin) : readFile(file, "utf8"));
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const lines = text.split(/\r?\n/).map((line, place) => ({ line: line.trim(), number: place + 1 }));
  return Object.fromEntries(
    lines
      .filter(({ line }) => line !== "" && !line.startsWith("#"))
      .map(({ line, number }): [string, string] => {
        const at = line.indexOf(":");
        if (at <= 0) throw new UsageError(`line ${number} of ${file} is no header: write Name: value`);
        return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
      }),
  );
}
