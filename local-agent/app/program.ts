import { Command } from "commander";
import { version } from "../base/version.ts";
import { checkCommand } from "../config/check.ts";
import { doctorCommand } from "../install/doctor/command.ts";
import { serviceCommands } from "../install/install.ts";
import { run } from "./run.ts";

/** The command `ganglion-agent`. Exit codes: 0 done, 1 something is wrong, 2 wrong usage. */
export function program(): Command {
  const root = new Command("ganglion-agent")
    .description("Links this host to a Ganglion edge.")
    .version(version(), "-V, --version", "say which version this is")
    .showHelpAfterError("(add --help for how it is used)");
  root
    .command("run", { isDefault: true })
    .description("run the agent in the foreground; SIGHUP reads the settings again")
    .option("--config <file>", "the settings (default: GANGLION_CONFIG)")
    .action(({ config }: { config?: string }) => run(config));
  for (const command of [checkCommand(), ...serviceCommands(), doctorCommand()]) root.addCommand(command);
  root
    .command("version")
    .description("say which version this is")
    .action(() => console.log(version()));
  // Commander hands this down to subcommands that it makes itself, not to those it is given.
  for (const command of [root, ...root.commands])
    command.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  return root;
}
