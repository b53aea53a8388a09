import { Argument, Command } from "commander";
import { UsageError } from "../../failure.ts";
import { print, printFields } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";

export const maintenanceCommand = () =>
  new Command("maintenance")
    .summary("show maintenance, or switch it on and off")
    .description(
      "While maintenance is on, scanners rest and no gap is raised or resolved; observations are still taken in.",
    )
    .addArgument(new Argument("[state]", "new state; without one, shows the current state").choices(["on", "off"]))
    .option("--reason <text>", "reason, with on")
    .addHelpText("after", "\nWith --json: one document.")
    .action(async (state: "on" | "off" | undefined, { reason }: { reason?: string }, command: Command) => {
      if (reason !== undefined && state !== "on") throw new UsageError("--reason is allowed only with: maintenance on");
      const client = clientFor(command);
      const maintenance =
        state === undefined
          ? await client.maintenance()
          : await client.setMaintenance({ enabled: state === "on", ...(reason === undefined ? {} : { reason }) });
      if (command.optsWithGlobals<GlobalOptions>().json === true) return print(JSON.stringify(maintenance));
      const { enabled, since, by } = maintenance;
      await printFields({ maintenance: enabled ? "on" : "off", since, by, reason: maintenance.reason });
    });
