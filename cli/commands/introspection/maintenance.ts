import { Argument, Command } from "commander";
import { UsageError } from "../../failure.ts";
import { print, printFields } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";
import { argumentAndCommand, viewOptions, withVerbs } from "../verbs.ts";

export const maintenanceCommand = () =>
  withVerbs(
    maintenanceView("maintenance", "[state]"),
    maintenanceView("show", undefined),
    maintenanceView("set", "<state>"),
  );

const maintenanceView = (name: string, argument: "[state]" | "<state>" | undefined) =>
  withState(new Command(name), argument)
    .summary("show maintenance, or switch it on and off")
    .description(
      "While maintenance is on, scanners rest and no gap is raised or resolved; observations are still taken in.",
    )
    .option("--reason <text>", "reason, with on")
    .addHelpText("after", "\nWith --json: one document.")
    .action(async (...given: unknown[]) => {
      const [state, command] = argumentAndCommand(given);
      const { reason } = viewOptions<{ reason?: string }>(command);
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

function withState(command: Command, argument: "[state]" | "<state>" | undefined): Command {
  if (argument === undefined) return command;
  const description = "new state; without one, shows the current state";
  return command.addArgument(new Argument(argument, description).choices(["on", "off"]));
}
