import { Command } from "commander";
import { version } from "../base/version.ts";
import { checkCommand } from "../config/check.ts";
import { doctorCommand } from "../install/doctor/command.ts";
import { serviceCommands } from "../install/install.ts";
import { joinCommand } from "../install/join/command.ts";
import { run } from "./run.ts";

/** The command `ganglion-agent`, which throws a CommanderError instead of ending the process. */
export function program(): Command {
  const root = new Command("ganglion-agent")
    .description("Links this host to a Ganglion edge.")
    .version(version(), "-V, --version", "print the version")
    .showHelpAfterError("(add --help for usage)");
  root
    .command("run", { isDefault: true })
    .description("run the agent in the foreground; SIGHUP reloads the settings")
    .option("--config <file>", "file of settings (default: GANGLION_CONFIG)")
    .option("--take-over", "replace another installation that is linked under this host's name")
    .action(({ config, takeOver }: { config?: string; takeOver?: boolean }) => run(config, takeOver === true));
  for (const command of [joinCommand(), checkCommand(), ...serviceCommands(), doctorCommand()])
    root.addCommand(command);
  root
    .command("version")
    .description("print the version")
    .action(() => console.log(version()));
  // Commander passes this to subcommands that it creates itself, not to those that are added.
  for (const command of [root, ...root.commands]) command.exitOverride();
  return root;
}
