import { Argument, Command } from "commander";
import { UsageError } from "../../failure.ts";
import { print, printFields } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";

export const maintenanceCommand = () =>
  new Command("maintenance")
    .summary("whether maintenance is on; switch it on and off")
    .description("While it is on, nothing is judged and no gap is sent; observations are taken in as ever.")
    .addArgument(new Argument("[state]", "what it is to be").choices(["on", "off"]))
    .option("--reason <text>", "why it is switched on")
    .addHelpText("after", "\nWith --json: one document.")
    .action(async (state: "on" | "off" | undefined, { reason }: { reason?: string }, command: Command) => {
      if (reason !== undefined && state !== "on") throw new UsageError("--reason goes with: maintenance on");
      const client = clientFor(command);
      const maintenance =
        state === undefined
          ? await client.maintenance()
          : await client.setMaintenance({ enabled: state === "on", ...(reason === undefined ? {} : { reason }) });
      if (command.optsWithGlobals<GlobalOptions>().json === true) return print(JSON.stringify(maintenance));
      const { enabled, since, by } = maintenance;
      await printFields({ maintenance: enabled ? "on" : "off", since, by, reason: maintenance.reason });
    });
