import { readFileSync } from "node:fs";
import { Command } from "commander";
import { checkCommand } from "./config/check.ts";
import { run } from "./run.ts";

/** The command `ganglion-agent`. Exit codes: 0 done, 1 something is wrong, 2 wrong usage. */
export function program(): Command {
  const root = new Command("ganglion-agent")
    .description("Links this host to a Ganglion edge.")
    .version(version(), "-V, --version", "say which version this is")
    .showHelpAfterError("(add --help for how it is used)")
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  root
    .command("run", { isDefault: true })
    .description("run the agent in the foreground; SIGHUP reads the settings again")
    .option("--config <file>", "the settings (default: GANGLION_CONFIG)")
    .action(({ config }: { config?: string }) => run(config));
  root.addCommand(checkCommand());
  root
    .command("version")
    .description("say which version this is")
    .action(() => console.log(version()));
  return root;
}

function version(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
