import { Command } from "commander";
import { EDGE_COMMAND, EdgePartsView, type EdgePartView } from "../../../src/core/hosts/edge-parts.ts";
import type { MonitorSettings } from "../../../src/core/hosts/monitors/monitor-settings.ts";
import { fact } from "../../arguments.ts";
import { UsageError } from "../../failure.ts";
import { askLocalAgent } from "../../local-agent.ts";
import { at, type Column, cellText, print, printFields, printLines, printTable } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";

export const monitorsCommand = () =>
  new Command("monitors")
    .summary("show or set the limits for hosts and health alerts; ask all hosts now")
    .addHelpText("after", "\nWithout a command: shows the settings. With --json: one document.")
    .action(async (_options: object, command: Command) => show(command, await clientFor(command).agents.monitors()))
    .addCommand(
      new Command("show")
        .summary("show the settings")
        .addHelpText("after", "\nWith --json: one document.")
        .action(async (_options: object, command: Command) =>
          show(command, await clientFor(command).agents.monitors()),
        ),
    )
    .addCommand(
      new Command("set")
        .summary("change the given settings")
        .argument("<name=value...>", "such as agent_grace_seconds=60 or health.disk.raise_above=95", collect)
        .action(async (changes: Record<string, unknown>, _options: object, command: Command) => {
          const { agents } = clientFor(command);
          const settings = editable(await agents.monitors());
          for (const [path, value] of Object.entries(changes)) put(settings, path.split("."), value);
          await show(command, await agents.setMonitors(settings));
        }),
    )
    .addCommand(
      new Command("reset")
        .summary("reset every setting to its default")
        .action(async (_options: object, command: Command) => {
          await show(command, await clientFor(command).agents.setMonitors({}));
        }),
    )
    .addCommand(edgeCommand())
    .addCommand(
      new Command("run")
        .summary("ask all hosts now, as happens each minute")
        .action(async (_options: object, command: Command) => {
          const run = await clientFor(command).agents.runMonitors();
          if (wantsJson(command)) return print(JSON.stringify(run));
          const { answered, silent, told: emitted } = run;
          await print(`Hosts that answered: ${listed(answered)}`);
          await print(`Hosts without an answer: ${listed(silent)}`);
          await print(`Signals emitted: ${listed(emitted)}`);
        }),
    );

const PARTS: readonly Column<EdgePartView>[] = [
  ["PART", ({ part }) => part, "key"],
  ["STATE", ({ state }) => state, "state"],
  ["SINCE", ({ since }) => (since === undefined ? undefined : at(since)), "whole"],
  ["REASON", ({ reason }) => reason, "text"],
];

const edgeCommand = () =>
  new Command("edge")
    .summary("show whether this machine's agent notices its edge, the edge's cron and its queue; needs no edge")
    .addHelpText("after", "\nWith --json: one part a line.")
    .action(async (_options: object, command: Command) => {
      const { parts } = EdgePartsView.parse(await askLocalAgent(EDGE_COMMAND, {}, 5_000));
      if (wantsJson(command)) return printLines(parts);
      await printTable(parts, PARTS, "");
    });

const listed = (names: readonly string[]) => (names.length === 0 ? "none" : names.map(cellText).join(" "));

/** A copy whose fields can be set by name. */
function editable(settings: MonitorSettings): Record<string, unknown> {
  return Object.fromEntries(Object.entries(structuredClone(settings)));
}

/** @param before - the value so far from Commander; `undefined` at first */
function collect(text: string, before: unknown): Record<string, unknown> {
  return fact(text, (before ?? {}) as Record<string, unknown>);
}

/** Sets the field at a dotted path. A kind of health that was off is replaced by an object with the given field. */
function put(settings: Record<string, unknown>, [name = "", ...rest]: readonly string[], value: unknown): void {
  if (["__proto__", "constructor", "prototype", ""].includes(name))
    throw new UsageError("give name=value, such as health.disk.raise_above=95");
  if (rest.length === 0) {
    settings[name] = value;
    return;
  }
  const inner = settings[name];
  const section = typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>) : {};
  settings[name] = section;
  put(section, rest, value);
}

async function show(command: Command, settings: MonitorSettings): Promise<void> {
  if (wantsJson(command)) return print(JSON.stringify(settings));
  const { health, ...others } = settings;
  const bands = Object.entries(health).map(([kind, band]) => [
    `health.${kind}`,
    band === null ? "off" : `raised above ${band.raise_above}, resolved below ${band.resolve_below}`,
  ]);
  await printFields({ ...others, ...Object.fromEntries(bands) });
}
