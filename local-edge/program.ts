import { resolve } from "node:path";
import { Command, CommanderError } from "commander";
import { backUp } from "./backup/backup.ts";
import { readManifest } from "./backup/manifest.ts";
import { differences } from "./backup/read-back.ts";
import { fail } from "./fail.ts";
import { serviceCommands } from "./install/command.ts";
import { stateDirectory } from "./paths.ts";
import { run } from "./run.ts";

// Exit codes: 0 done, 1 failed, 2 wrong usage.
await program()
  .parseAsync(process.argv)
  .catch((error: unknown) => {
    if (!(error instanceof CommanderError)) fail(error);
    process.exitCode = error.exitCode === 0 ? 0 : 2; // commander has printed the reason already
  });

function program(): Command {
  const root = new Command("ganglion-edge")
    .description("The edge on one machine.")
    .addHelpText("after", "\nExit codes: 0 done, 1 failed, 2 wrong usage.")
    .showHelpAfterError("(add --help for usage)")
    .addCommand(new Command("run").summary("run the edge until it is stopped").action(run))
    .addCommand(backupCommand())
    .addCommand(checkCommand());
  for (const command of serviceCommands()) root.addCommand(command);
  for (const command of [root, ...root.commands]) command.exitOverride();
  return root;
}

function backupCommand(): Command {
  return new Command("backup")
    .summary("copy the state of the edge, which goes on running")
    .argument("<directory>", "where the copy goes; it must not exist yet")
    .option("--state-dir <directory>", "state of the edge (default: GANGLION_STATE_DIR, or .ganglion)")
    .option("--json", "for programs: JSON instead of words")
    .action(async (directory: string, { stateDir, json }: { stateDir?: string; json?: true }) => {
      const made = await backUp(stateOf(stateDir), resolve(directory));
      const { files, databases, pause_ms, at } = made;
      const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
      if (json) return console.log(JSON.stringify({ directory: made.directory, at, databases, bytes, pause_ms }));
      console.log(
        `${made.directory}: ${databases} databases, ${bytes} bytes, as they were at ${at}, read back without a fault. ` +
          (pause_ms === 0 ? "No edge ran." : `The edge stood still for ${pause_ms} ms.`),
      );
      console.log("It holds the administrator's token and all secrets: keep it as you keep those.");
    });
}

function checkCommand(): Command {
  return new Command("check")
    .summary("check that a backup is as it was made")
    .argument("<directory>", "a directory that `ganglion-edge backup` made")
    .action((directory: string) => {
      const path = resolve(directory);
      const problems = differences(path);
      if (problems.length > 0)
        throw new Error(
          `${path} is not as it was made. Use another backup.\n${problems.map((line) => `  ${line}`).join("\n")}`,
        );
      console.log(`${path} is as it was made at ${readManifest(path).at}.`);
    });
}

function stateOf(given: string | undefined): string {
  return stateDirectory(given === undefined ? process.env : { ...process.env, GANGLION_STATE_DIR: given });
}
