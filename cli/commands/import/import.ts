import { writeFile } from "node:fs/promises";
import { Command } from "commander";
import { parse, stringify } from "yaml";
import * as z from "zod";
import { readOlderLetter } from "../../../src/core/dead-letters/older-letter.ts";
import { Failure } from "../../failure.ts";
import { askLocalAgent } from "../../local-agent.ts";
import { print, printFields, remark } from "../../output.ts";
import { wantsJson } from "../../settings.ts";
import { policyStateCommand } from "./policy-state.ts";
import { importTeamConfig, type TeamImport } from "./team-config.ts";
import { textOf } from "./text-of.ts";

/** Dead letters that go to the agent at a time. */
const CHUNK = 200;
const WAIT_MS = 30_000;
const Imported = z.object({
  imported: z.number(),
  refused: z.array(z.object({ line: z.number(), reason: z.string() })),
});

export const importCommand = () =>
  new Command("import")
    .summary("take over what older systems have left on this machine")
    .addCommand(deadLettersCommand())
    .addCommand(teamConfigCommand())
    .addCommand(policyStateCommand());

const deadLettersCommand = () =>
  new Command("dead-letters")
    .summary("take over a failed_signals.jsonl of an older daemon")
    .description(
      "Makes each line {signal or intent_file, error, timestamp, daemon} a dead letter at the edge, through the agent of this machine. A line that is imported twice is one dead letter.",
    )
    .argument("<file>")
    .option("--dry-run", "show what would be imported, and import nothing")
    .addHelpText("after", "\nWith --json: one document.")
    .action(async (file: string, { dryRun }: { dryRun?: true }, command: Command) => {
      const { letters, unread } = await readLetters(file);
      const refused = [...unread];
      let imported = 0;
      if (dryRun === true) imported = letters.length;
      else {
        for (let from = 0; from < letters.length; from += CHUNK) {
          const some = letters.slice(from, from + CHUNK);
          const answer = await askLocalAgent(
            "dead-letters.import",
            { letters: some.map(({ value }) => value) },
            WAIT_MS,
          );
          const outcome = Imported.parse(answer);
          imported += outcome.imported;
          for (const { line, reason } of outcome.refused) refused.push({ line: some[line]?.line ?? 0, reason });
        }
      }
      for (const { line, reason } of refused) remark(`${file}:${line}: ${reason}`);
      const result = { [dryRun === true ? "would_import" : "imported"]: imported, refused: refused.length };
      await (wantsJson(command) ? print(JSON.stringify(result)) : printFields(result));
      if (refused.length > 0) throw new Failure(`${refused.length} lines of ${file} are no dead letters`);
    });

interface OlderLine {
  readonly line: number;
  readonly value: unknown;
}

async function readLetters(file: string) {
  const letters: OlderLine[] = [];
  const unread: { line: number; reason: string }[] = [];
  for (const [place, text] of (await textOf(file)).split("\n").entries()) {
    if (text.trim() === "") continue;
    const line = place + 1;
    try {
      const value: unknown = JSON.parse(text);
      readOlderLetter(value);
      letters.push({ line, value });
    } catch (error) {
      unread.push({ line, reason: (error as Error).message });
    }
  }
  return { letters, unread };
}

const teamConfigCommand = () =>
  new Command("team-config")
    .summary("turn a team_daemon.yaml into settings of the agent")
    .description("Prints the equivalent settings, and says on standard error what has none.")
    .argument("<file>")
    .option("--command <command>", "command of an agent, in which {name} is its name", "python3 {name}.py")
    .option("--output <file>", "write the settings into a new file instead of printing them")
    .option("--dry-run", "print the settings, whatever --output says")
    .addHelpText("after", "\nWith --json: one document {settings, queue, notes}.")
    .action(
      async (
        file: string,
        { command: words, output, dryRun }: { command: string; output?: string; dryRun?: true },
        command: Command,
      ) => {
        let imported: TeamImport;
        try {
          imported = importTeamConfig(parse(await textOf(file)), words.split(/\s+/).filter(Boolean));
        } catch (error) {
          throw error instanceof Failure ? error : new Failure(`${file}: ${(error as Error).message}`);
        }
        const { settings, queue, notes } = imported;
        for (const { path, note } of notes) remark(`${path}: ${note}`);
        if (Object.keys(queue).length > 0)
          remark(`bottleneck_alerts: PATCH /v1/<ecosystem>/queues/<queue> with ${JSON.stringify(queue)}`);
        if (output !== undefined && dryRun !== true) {
          // Never over a file that is there: it may have settings that people wrote.
          await writeFile(output, stringify(settings), { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
            throw new Failure(error.code === "EEXIST" ? `${output} is there already: name a new file` : error.message);
          });
          return printFields({ written: output, agents: Object.keys(settings.agents).length });
        }
        await print(wantsJson(command) ? JSON.stringify(imported) : stringify(settings).trimEnd());
      },
    );
