import { Command } from "commander";
import type { Note } from "../../../src/core/notes/api.ts";
import { NOTE_CHANGED } from "../../../src/core/notes/change-signal.ts";
import { fact, lengthOfTime, wholeNumber } from "../../arguments.ts";
import { UsageError } from "../../failure.ts";
import { at, type Column, print, printFields, printLines, printTable, remark } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";
import { readText } from "../secret-file.ts";

const columns: readonly Column<Note>[] = [
  ["KEY", ({ key }) => key, "key"],
  ["VERSION", ({ version }) => version],
  ["CHANGED", ({ changed_at }) => at(changed_at)],
  ["BY", ({ by }) => by],
  ["ENDS", ({ expires_at }) => at(expires_at)],
  ["VALUE", ({ value }) => JSON.stringify(value), "text"],
];

interface SetOptions {
  readonly file?: string;
  readonly field?: Record<string, unknown>;
  readonly merge?: true;
  readonly create?: true;
  readonly ifVersion?: number;
  readonly ttl?: number;
  readonly cause?: string;
}

export const notesCommand = () =>
  new Command("notes")
    .summary("facts about tasks, agents and the ecosystem that agents share")
    .addHelpText(
      "after",
      "\nWithout a command: lists the notes. Keys: task/<id>/<note>, agent/<name>/<note>, or any other path for the ecosystem.",
    )
    .action((_options: object, command: Command) => list(undefined, command))
    .addCommand(
      new Command("list")
        .summary("list notes by key")
        .argument("[prefix]", "only keys that begin so, such as task/build-17/")
        .addHelpText("after", "\nWith --json: one note a line.")
        .action((prefix: string | undefined, _options: object, command: Command) => list(prefix, command)),
    )
    .addCommand(
      new Command("show")
        .summary("show a note")
        .argument("<key>", "key of the note")
        .addHelpText("after", "\nWith --json: one document.")
        .action(async (key: string, _options: object, command: Command) => {
          const note = await clientFor(command).notes.get(key);
          if (note === undefined) throw new UsageError(`there is no note ${key}; list them: ganglion notes list`);
          await show(note, command);
        }),
    )
    .addCommand(
      new Command("set")
        .summary("make or change a note")
        .argument("<key>", "key of the note")
        .argument("[json]", "the whole value, such as '{\"step\": 3}'")
        .option("--field <name=value>", "a field of the value, in the place of JSON; may be repeated", fact)
        .option("--file <file>", "the value as JSON, in the place of an argument; - reads the standard input")
        .option("--merge", "change the fields that are given, keep the others, and lose no change of another writer")
        .option("--create", "only where there is no such note")
        .option("--if-version <version>", "only where the note has this version", wholeNumber(1))
        .option(
          "--ttl <time>",
          "the note ends so long after this change (default: never; of a task: 30d)",
          lengthOfTime,
        )
        .option("--cause <signal>", "id of the signal that led to it")
        .addHelpText("after", "\nWith --json: one document.")
        .action((key: string, json: string | undefined, options: SetOptions, command: Command) =>
          set(key, json, options, command),
        ),
    )
    .addCommand(
      new Command("delete")
        .summary("delete a note")
        .argument("<key>", "key of the note")
        .option("--if-version <version>", "only where the note has this version", wholeNumber(1))
        .action(async (key: string, { ifVersion }: { ifVersion?: number }, command: Command) => {
          await clientFor(command).notes.remove(key, ifVersion);
          if (wantsJson(command)) return print(JSON.stringify({ deleted: key }));
          await printFields({ deleted: key });
        }),
    )
    .addCommand(
      new Command("watch")
        .summary("print changes of notes as they come, until Ctrl-C")
        .argument("[prefix]", "only keys that begin so")
        .option("--limit <n>", "end after so many changes", wholeNumber(1))
        .addHelpText("after", "\nPrints one change a line: the facts of the signal Q_NOTE_CHANGED.")
        .action((prefix: string | undefined, { limit }: { limit?: number }, command: Command) =>
          watch(prefix ?? "", limit ?? Number.POSITIVE_INFINITY, command),
        ),
    );

async function list(prefix: string | undefined, command: Command): Promise<void> {
  const { notes } = clientFor(command);
  const all: Note[] = [];
  for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
    const page = await notes.list({ limit: 1_000, ...(prefix && { prefix }), ...(after && { after }) });
    all.push(...page.notes);
    after = page.next ?? undefined;
  }
  if (wantsJson(command)) return printLines(all);
  await printTable(all, columns, "no notes; make one: ganglion notes set <key> --field <name=value>");
}

async function set(key: string, json: string | undefined, options: SetOptions, command: Command): Promise<void> {
  const { file, field, merge, create, ifVersion, ttl: ttlMs, cause } = options;
  if ([json, file, field].filter((given) => given !== undefined).length !== 1)
    throw new UsageError("give the value once: as JSON, by --field, or by --file");
  const conditions = [merge, create, ifVersion].filter((given) => given !== undefined);
  if (conditions.length > 1) throw new UsageError("give one of --merge, --create and --if-version");
  const value = field ?? objectIn(json ?? (await readText(file ?? "-")));
  const { notes } = clientFor(command);
  const note = await (merge === true
    ? notes.update(key, (now) => ({ ...now, ...value }), { ttlMs, cause })
    : notes.put(key, value, { ifVersion: create === true ? 0 : ifVersion, ttlMs, cause }));
  await show(note, command);
}

async function show(note: Note, command: Command): Promise<void> {
  if (wantsJson(command)) return print(JSON.stringify(note));
  const { key, version, changed_at, by, expires_at, value } = note;
  await printFields({ key, value: JSON.stringify(value), version, changed: changed_at, by, ends: expires_at });
}

async function watch(prefix: string, limit: number, command: Command): Promise<void> {
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  let left = limit;
  const changes = clientFor(command).follow({
    signals: [NOTE_CHANGED],
    signal: stopping.signal,
    onOpen: () => remark(prefix === "" ? "Watching all notes" : `Watching notes of ${prefix}`),
    onInterrupted: (reason, delayMs) => remark(`${reason}; trying again in ${(delayMs / 1000).toFixed(1)} s`),
  });
  for await (const { facts } of changes) {
    if (typeof facts.key !== "string" || !facts.key.startsWith(prefix)) continue;
    await print(JSON.stringify(facts));
    left -= 1;
    if (left === 0) break;
  }
}

/** @throws UsageError */
function objectIn(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new UsageError('the value is not a JSON object, such as {"step": 3}; or give --field step=3');
}
