import { Command } from "commander";
import type { BridgeView } from "../../../src/core/federation/bridge.ts";
import { type Column, print, printFields, printLines, printTable } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";

const columns: readonly Column<BridgeView>[] = [
  ["NAME", ({ name }) => name, "key"],
  ["TO", ({ to }) => to, "key"],
  ["ENABLED", ({ enabled }) => (enabled ? "yes" : "no"), "state"],
  ["WAITING", ({ waiting }) => waiting],
  ["BY", ({ changed_by }) => changed_by],
  ["SIGNALS", ({ signals, where }) => `${signals.join(" ")}${where === undefined ? "" : ` where ${where}`}`, "text"],
];

interface PutOptions {
  readonly to: string;
  readonly signals: string[];
  readonly where?: string;
  readonly as?: string;
  readonly description?: string;
  readonly disabled?: boolean;
}

export const bridgesCommand = () =>
  new Command("bridges")
    .summary("bridges, which forward signals to other ecosystems: list, set, delete")
    .addHelpText("after", "\nWithout a command: lists the bridges.")
    .action((_options: object, command: Command) => list(command))
    .addCommand(
      new Command("list")
        .summary("list bridges with what waits for them")
        .addHelpText("after", "\nWith --json: one bridge a line.")
        .action((_options: object, command: Command) => list(command)),
    )
    .addCommand(
      new Command("set")
        .alias("put")
        .summary("forward signals to another ecosystem; replaces the bridge of this name")
        .argument("<name>", "name of the bridge, such as alerts")
        .requiredOption("--to <ecosystem>", "ecosystem to which the signals go")
        .requiredOption("--signals <pattern...>", "names of signals, * stands for anything, a ! in front excludes")
        .option("--where <condition>", "CEL expression over the signal (default: all)")
        .option("--as <name>", "name of the signals there (default: their own)")
        .option("--description <text>", "purpose of the bridge")
        .option("--disabled", "put the bridge switched off")
        .addHelpText("after", "\nThe token needs policy:write here and signals:write there. With --json: one document.")
        .action(async (name: string, { as, disabled, ...options }: PutOptions, command: Command) => {
          const named = as === undefined ? {} : { signal: as };
          const bridge = { ...options, ...named, enabled: disabled !== true };
          const made = await clientFor(command).bridges.put(name, bridge);
          if (wantsJson(command)) return print(JSON.stringify(made));
          await printFields({
            name,
            to: made.to,
            signals: made.signals.join(" "),
            enabled: made.enabled ? "yes" : "no",
          });
        }),
    )
    .addCommand(
      new Command("delete")
        .summary("delete a bridge; what it has decided to forward still arrives")
        .argument("<name>", "name of the bridge")
        .action(async (name: string, _options: object, command: Command) => {
          await clientFor(command).bridges.remove(name);
          if (wantsJson(command)) return print(JSON.stringify({ name, deleted: true }));
          await printFields({ deleted: name });
        }),
    );

async function list(command: Command): Promise<void> {
  const bridges = await clientFor(command).bridges.list();
  if (wantsJson(command)) return printLines(bridges);
  await printTable(bridges, columns, "no bridges to other ecosystems");
}
