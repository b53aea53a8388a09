import { Command } from "commander";
import { stringify } from "yaml";
import type { Policy, PolicyVersion } from "../../../src/core/policy/api.ts";
import { Failure } from "../../failure.ts";
import { at, type Column, clock, print, printLines, printTable, remark } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";
import { applyCommand, diffCommand, remarkWarnings } from "./change.ts";
import { packsCommand } from "./packs.ts";
import { bodyOf, readRuleFile } from "./rule-file.ts";
import { simulateCommand } from "./simulate.ts";
import { testCommand } from "./test.ts";

const columns: readonly Column<Policy>[] = [
  ["ID", ({ id }) => id, "key"],
  ["VERSION", ({ version }) => version, "key"],
  [
    "ENABLED",
    ({ enabled, quarantined }) => (quarantined !== undefined ? "quarantined" : enabled ? "yes" : "no"),
    "state",
  ],
  ["FROM", ({ built_in, modified }) => (built_in ? (modified ? "built-in, changed" : "built-in") : "custom")],
  ["WHEN", ({ when }) => when.join(" "), "text"],
  ["EFFECTS", describeEffects, "text"],
];

export const policyCommand = () =>
  new Command("policy")
    .summary("rules: list, show, set, delete, enable, disable, test, simulate, diff, apply")
    .addHelpText("after", "\nWithout a command: lists them. With --json: one rule a line.")
    .action((_options: object, command: Command) => list(command))
    .addCommand(
      new Command("list").summary("the rules in force").action((_options: object, command: Command) => list(command)),
    )
    .addCommand(
      new Command("show")
        .summary("show a rule in the form of a rule file")
        .argument("<id>", "id of the rule")
        .option("--versions", "show its versions, newest first")
        .addHelpText("after", "\nThe output can be edited and put again. With --json: one document.")
        .action(show),
    )
    .addCommand(
      new Command("set")
        .alias("put")
        .summary("put the rules of a file in force, all of them or none")
        .argument("<file>", "YAML or JSON: a rule, a list of rules, or several documents; - is the standard input")
        .addHelpText(
          "after",
          "\nDoes not ask for confirmation; `ganglion policy apply` shows the changes first. Rules that are not in the file " +
            "stay as they are. With --json: one rule a line.",
        )
        .action(put),
    )
    .addCommand(
      new Command("delete")
        .summary("delete a rule. A changed built-in rule goes back to its original")
        .argument("<id>", "id of the rule")
        .action(async (id: string, _options: object, command: Command) => {
          const changes = await clientFor(command).policy.remove(id);
          if (wantsJson(command)) return print(JSON.stringify(changes));
          await print(changes.deleted.length > 0 ? `deleted ${id}` : `${id} is back to its original`);
        }),
    )
    .addCommand(switchCommand("enable", true))
    .addCommand(switchCommand("disable", false))
    .addCommand(packsCommand())
    .addCommand(testCommand())
    .addCommand(simulateCommand())
    .addCommand(diffCommand())
    .addCommand(applyCommand());

const switchCommand = (name: string, enabled: boolean) =>
  new Command(name)
    .summary(enabled ? "enable a rule" : "disable a rule; its expectations are dropped")
    .argument("<id>", "id of the rule")
    .action(async (id: string, _options: object, command: Command) => {
      const policy = await clientFor(command).policy.enable(id, enabled);
      if (wantsJson(command)) return print(JSON.stringify(policy));
      await print(`${id} is ${policy.enabled ? "enabled" : "disabled"}, version ${policy.version}`);
    });

async function list(command: Command): Promise<void> {
  const policies = await clientFor(command).policy.list();
  if (wantsJson(command)) return printLines(policies);
  await printTable(policies, columns, "no rules");
  for (const { id, quarantined } of policies) {
    if (quarantined !== undefined) remark(`${id}: ${describeQuarantine(quarantined)}`);
  }
}

async function show(id: string, { versions: withVersions }: { versions?: true }, command: Command): Promise<void> {
  const { policy, versions } = await clientFor(command).policy.show(id);
  if (wantsJson(command)) return print(JSON.stringify({ policy, versions }));
  if (withVersions === true) return printTable(versions, versionColumns, "no versions");
  if (policy === null) throw new Failure(`The rule "${id}" was deleted. Add --versions to see its versions`);
  const { built_in, modified, changed_at, changed_by, changed_by_id: _, quarantined, ...rule } = policy;
  const origin = built_in ? (modified ? "built-in rule, changed" : "built-in rule, installed") : "put";
  remark(`# ${origin} at ${clock(changed_at)}${changed_by === null ? "" : ` by ${changed_by}`}`);
  if (quarantined !== undefined) remark(`# ${describeQuarantine(quarantined)}`);
  await print(stringify(rule, { lineWidth: 120 }).trimEnd());
}

const describeQuarantine = ({ since, reason }: NonNullable<Policy["quarantined"]>) =>
  `not evaluated since ${clock(since)}: ${reason}. Edit the rule to put it in force again`;

const versionColumns: readonly Column<PolicyVersion>[] = [
  ["VERSION", ({ version }) => version, "key"],
  ["CHANGED", ({ changed_at }) => at(changed_at), "whole"],
  ["BY", ({ changed_by }) => changed_by],
  ["AFTER", ({ after_seq }) => after_seq],
  ["RULE", ({ rule }) => (rule === null ? "deleted" : rule.enabled ? "enabled" : "disabled")],
];

async function put(file: string, _options: object, command: Command): Promise<void> {
  const { policy } = clientFor(command);
  const written = await readRuleFile(file);
  const { warnings } = await policy.change(written.map((rule) => bodyOf(rule)));
  remarkWarnings(warnings);
  const ids = new Set(written.map(({ id }) => id));
  for (const rule of (await policy.list()).filter(({ id }) => ids.has(id))) {
    await print(wantsJson(command) ? JSON.stringify(rule) : `${rule.id} is in force, version ${rule.version}`);
  }
}

function describeEffects({ then, expect }: Policy): string {
  const effects = then.map(({ emit, enqueue, webhook, maintenance, forward }) => {
    if (emit !== undefined) return emit.signal;
    if (enqueue !== undefined) return `task in ${enqueue.queue}`;
    if (forward !== undefined) return `forward to ${forward.ecosystem}`;
    if (webhook !== undefined) return `webhook ${webhook.endpoint}`;
    return `maintenance ${maintenance?.enabled === true ? "on" : "off"}`;
  });
  return [...effects, ...(expect === undefined ? [] : [`expect ${expect.signal.join(" ")} in ${expect.within}`])].join(
    ", ",
  );
}
