import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";
import { Command } from "commander";
import type { Client } from "../../../src/client/client.ts";
import { ExportEnd } from "../../../src/core/ecosystems/document.ts";
import { Failure, UsageError } from "../../failure.ts";
import { fileTrouble } from "../../file-trouble.ts";
import { at, type Column, print, printLines, printTable, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";

/** Characters of lines that are sent in one call; a line may be longer. */
const CALL_CHARS = 3_000_000;

const columns: readonly Column<{ name: string; last_active_at: string }>[] = [
  ["NAME", ({ name }) => name, "key"],
  ["LAST ACTIVE", ({ last_active_at }) => at(last_active_at), "whole"],
];

const ecosystemOf = (command: Command) =>
  command.optsWithGlobals<GlobalOptions>().ecosystem ?? process.env.GANGLION_ECOSYSTEM ?? "default";

export const ecosystemCommand = () =>
  new Command("ecosystem")
    .alias("ecosystems")
    .summary("list, export, import and delete ecosystems")
    .addCommand(
      new Command("list")
        .summary("list the ecosystems that hold signals")
        .action(async (_: object, command: Command) => {
          const ecosystems = await clientFor(command).ecosystem.list();
          if (command.optsWithGlobals<GlobalOptions>().json === true) return printLines(ecosystems);
          await printTable(ecosystems, columns, "no ecosystems");
        }),
    )
    .addCommand(
      new Command("export")
        .summary("write everything that an ecosystem stores to a file; the ecosystem takes no calls meanwhile")
        .argument("<file>", "the file to be written, or - for the output")
        .option("--with-secrets", "with the secrets by which webhooks are signed: keep the file as you keep those")
        .action(async (file: string, options: { withSecrets?: true }, command: Command) => {
          const pages = clientFor(command).ecosystem.export(options.withSecrets === true);
          if (file === "-") {
            for await (const lines of pages) await print(lines.join("\n"));
            return;
          }
          await writeFile(file, pages);
          remark(`exported to ${file}`);
        }),
    )
    .addCommand(
      new Command("import")
        .summary("fill an empty ecosystem from an export")
        .argument("<file>", "a file that `ganglion ecosystem export` wrote")
        .action(async (file: string, _options: object, command: Command) => {
          await refuseCutFile(file);
          await importFile(clientFor(command), file);
          remark(`imported into ${ecosystemOf(command)}`);
        }),
    )
    .addCommand(
      new Command("delete")
        .summary("delete an ecosystem with everything in it")
        .option("--yes", "delete it without asking")
        .action(async (options: { yes?: true }, command: Command) => {
          const name = ecosystemOf(command);
          if (options.yes !== true)
            throw new UsageError(
              `everything in the ecosystem "${name}" would be deleted, and hosts that run would begin it anew: stop them, ` +
                "export what you want to keep (`ganglion ecosystem export FILE`), and give --yes",
            );
          await clientFor(command).ecosystem.delete();
          remark(`deleted ${name}`);
        }),
    );

/** Under its name there is a whole document or none. */
async function writeFile(file: string, pages: AsyncIterable<readonly string[]>): Promise<void> {
  const part = `${file}.part`;
  // It holds what the ecosystem's tokens protect.
  const handle = await open(part, "wx", 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT")
      throw new Failure(`${file} cannot be written: its directory does not exist; make it, or name another file`);
    throw new Failure(fileTrouble(error.code === "EEXIST" ? part : file, error));
  });
  const out = handle.createWriteStream();
  // Without a listener a disk that is full would end the process before anything is said; `write` and `finished` report it.
  let failed: Error | undefined;
  out.on("error", (error) => {
    failed = error;
  });
  try {
    for await (const lines of pages)
      if (failed !== undefined) throw failed;
      else if (!out.write(`${lines.join("\n")}\n`)) await Promise.race([once(out, "drain"), once(out, "close")]);
    out.end();
    await finished(out);
    await rename(part, file);
  } catch (error) {
    out.destroy();
    await rm(part, { force: true });
    throw error;
  }
}

const linesOf = (file: string) =>
  createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });

/** Nothing is sent of a file that lacks lines. */
async function refuseCutFile(file: string): Promise<void> {
  let [count, last] = [0, ""];
  for await (const line of linesOf(file)) {
    if (line === "") continue;
    count++;
    last = line;
  }
  const end = last.startsWith('{"complete":true') ? ExportEnd.safeParse(JSON.parse(last)) : undefined;
  if (end?.success !== true || end.data.lines !== count - 1)
    throw new UsageError(`${file} is not a whole export: lines are missing. Export the ecosystem again.`);
}

async function importFile(client: Client, file: string): Promise<void> {
  const id = randomUUID();
  let [text, count] = ["", 0];
  for await (const line of linesOf(file)) {
    text += `${line}\n`;
    count++;
    if (text.length < CALL_CHARS) continue;
    await client.ecosystem.import(id, text);
    remark(`${count} lines imported`);
    text = "";
  }
  await client.ecosystem.import(id, text);
}
