import { Command } from "commander";
import type { AgentView } from "../../../src/core/hosts/api.ts";
import { UsageError } from "../../failure.ts";
import { at, type Column, clock, print, printFields, printLines, printTable, remark } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";

const columns: readonly Column<AgentView>[] = [
  ["HOST", ({ host }) => host, "key"],
  ["STATE", ({ state, reason }) => (state === "down" ? `down (${reason})` : state), "state"],
  ["SINCE", ({ since }) => at(since), "whole"],
  ["LAST SEEN", ({ last_seen }) => at(last_seen), "whole"],
  ["VERSION", ({ version }) => version],
  ["ALERTS", ({ alerts }) => alerts.map(({ subject }) => subject).join(" "), "text"],
  ["FAILING", ({ failing }) => Object.keys(failing).join(" ")],
];

interface Wanted {
  readonly forget?: true;
  readonly release?: true;
}

/** `ganglion hosts`; `ganglion agents` is its earlier name. */
export const agentsCommand = () =>
  hostsView("hosts")
    .alias("agents")
    .addCommand(hostsList())
    .addCommand(
      new Command("show")
        .summary("show one host with what it runs")
        .argument("<host>")
        .addHelpText("after", "\nWith --json: one document.")
        .action((host: string, _options: object, command: Command) => showHost(host, command)),
    )
    .addCommand(
      new Command("delete")
        .summary("forget a host, which must be down")
        .argument("<host>")
        .action(async (host: string, _options: object, command: Command) => {
          await clientFor(command).agents.forget(host);
          await (wantsJson(command) ? print(JSON.stringify({ host, deleted: true })) : printFields({ deleted: host }));
        }),
    );

const hostsList = () =>
  new Command("list")
    .summary("list hosts with their state")
    .addHelpText("after", "\nWith --json: one host a line.")
    .action((_options: object, command: Command) => listHosts(command));

async function listHosts(command: Command): Promise<void> {
  const list = await clientFor(command).agents.list();
  return wantsJson(command) ? printLines(list) : printTable(list, columns, "no hosts");
}

async function showHost(host: string, command: Command): Promise<void> {
  const agent = await clientFor(command).agents.get(host);
  return wantsJson(command) ? print(JSON.stringify(agent)) : printAgent(agent);
}

const hostsView = (name: string) =>
  new Command(name)
    .summary("list hosts with their state, what they run, and their alerts; show, delete one")
    .argument("[host]", "show one host with what it runs")
    .option("--forget", "forget the host, which must be down")
    .option("--release", "release the host's name from the token that owns it: the next token that links takes it")
    .addHelpText("after", "\nWith --json: one host a line, or one document.")
    .action(async (host: string | undefined, { forget, release }: Wanted, command: Command) => {
      const { agents } = clientFor(command);
      if (host === undefined) {
        if (forget || release) throw new UsageError("--forget and --release need the name of a host");
        return listHosts(command);
      }
      if (release) {
        await agents.release(host);
        await remark(`The name ${host} is released`);
      }
      if (forget) {
        await agents.forget(host);
        await remark(`${host} is forgotten`);
      }
      if (forget || release) return;
      return showHost(host, command);
    });

async function printAgent(agent: AgentView): Promise<void> {
  const { host, state, reason, since, last_seen, links, version, alerts, failing, runs } = agent;
  await printFields({
    host,
    state: `${state} (${reason}) since ${clock(since)}`,
    "last seen": at(last_seen),
    links,
    version,
    ...named(
      "alert",
      alerts,
      ({ subject, value, limit, since }) => `${subject} is ${value} (limit ${limit}) since ${clock(since)}`,
    ),
    ...Object.fromEntries(Object.entries(failing).map(([monitor, why]) => [`monitor ${monitor}`, `fails: ${why}`])),
    ...Object.fromEntries(readings(agent).map(({ subject, value }) => [subject, value])),
    ...Object.fromEntries(Object.entries(runs ?? {}).flatMap(([name, value]) => runsFields(name, value))),
  });
}

function named<Item>(name: string, items: readonly Item[], text: (item: Item) => string): Record<string, string> {
  return Object.fromEntries(items.map((item, place) => [items.length > 1 ? `${name} ${place + 1}` : name, text(item)]));
}

function readings({ facts }: AgentView): { subject: string; value: unknown }[] {
  const health = facts?.health as { readings?: { kind: string; instance?: string; value: number }[] } | undefined;
  return (health?.readings ?? []).map(({ kind, instance, value }) => ({
    subject: instance === undefined ? kind : `${kind} ${instance}`,
    value,
  }));
}

/** A part of the status that a host reports. Most parts, such as `sources`, are lists of reports. */
function runsFields(name: string, value: unknown): [string, unknown][] {
  if (name === "host" || name === "version") return [];
  if (!Array.isArray(value)) return [[name, value]];
  const reports = value as { name?: string; worker?: string; state?: string; detail?: string }[];
  return reports.map((report, place) => {
    const { state, detail } = report;
    const subject = report.name ?? report.worker ?? String(place + 1);
    return [`${name} ${subject}`, state === undefined ? report : [state, detail].filter(Boolean).join(", ")];
  });
}
