import { Command } from "commander";
import type { ScannerStatus } from "../../../src/core/introspection/api.ts";
import { fact } from "../../arguments.ts";
import { at, type Column, clock, print, printFields, printLines, printTable } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";

const columns: readonly Column<ScannerStatus>[] = [
  ["ID", ({ id }) => id, "key"],
  ["ENABLED", ({ enabled }) => (enabled ? "yes" : "no")],
  ["STATE", ({ state, retry_at }) => (retry_at === undefined ? state : `${state} until ${clock(retry_at)}`), "state"],
  ["EVALUATED", ({ evaluated_at }) => at(evaluated_at), "whole"],
  ["LAST ERROR", ({ last_error }) => last_error, "text"],
  ["SETTINGS", ({ settings }) => settingsText(settings), "text"],
];

const settingsText = (settings: ScannerStatus["settings"]) =>
  Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");

export const scannersCommand = () =>
  new Command("scanners")
    .summary("list the scanners of observations; change their settings, switch them on and off")
    .addHelpText("after", "\nWithout a command: lists them. With --json: one scanner a line.")
    .action((_options: object, command: Command) => listScanners(command))
    .addCommand(
      new Command("list")
        .summary("list the scanners with their health")
        .addHelpText("after", "\nWith --json: one scanner a line.")
        .action((_options: object, command: Command) => listScanners(command)),
    )
    .addCommand(
      new Command("set")
        .summary("change settings; takes effect at once")
        .argument("<id>", "id of the scanner")
        .argument("<name=value...>", "such as cpu_percent_above=95", collect)
        .action((id: string, settings: Record<string, unknown>, _options: object, command: Command) =>
          change(command, id, { settings }),
        ),
    )
    .addCommand(switchCommand("enable", true))
    .addCommand(switchCommand("disable", false));

async function listScanners(command: Command): Promise<void> {
  const scanners = await clientFor(command).scanners();
  if (command.optsWithGlobals<GlobalOptions>().json === true) return printLines(scanners);
  await printTable(scanners, columns, "no scanners");
}

/** Commander gives the value so far, which is `undefined` at first. */
function collect(text: string, before: unknown): Record<string, unknown> {
  return fact(text, (before ?? {}) as Record<string, unknown>);
}

const switchCommand = (name: string, enabled: boolean) =>
  new Command(name)
    .summary(enabled ? "switch a scanner on" : "switch a scanner off; its gaps are resolved")
    .argument("<id>", "id of the scanner")
    .action((id: string, _options: object, command: Command) => change(command, id, { enabled }));

async function change(
  command: Command,
  id: string,
  wanted: { enabled?: boolean; settings?: Record<string, unknown> },
): Promise<void> {
  const scanner = await clientFor(command).changeScanner(id, wanted);
  if (command.optsWithGlobals<GlobalOptions>().json === true) return print(JSON.stringify(scanner));
  await printFields({ id: scanner.id, enabled: scanner.enabled ? "yes" : "no", ...scanner.settings });
}
