import { Command } from "commander";
import { stringify } from "yaml";
import type { Policy, PolicyVersion } from "../../../src/core/policy/api.ts";
import { Failure } from "../../failure.ts";
import { type Column, print, printLines, printTable, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";
import { applyCommand, diffCommand } from "./change.ts";
import { bodyOf, readRuleFile } from "./rule-file.ts";
import { simulateCommand } from "./simulate.ts";
import { testCommand } from "./test.ts";

const wantsJson = (command: Command) => command.optsWithGlobals<GlobalOptions>().json === true;

const columns: readonly Column<Policy>[] = [
  ["ID", ({ id }) => id],
  ["VERSION", ({ version }) => version],
  ["ENABLED", ({ enabled }) => (enabled ? "yes" : "no")],
  ["FROM", ({ built_in, modified }) => (built_in ? (modified ? "pack, changed" : "pack") : "here")],
  ["WHEN", ({ when }) => when.join(" ")],
  ["DOES", does],
];

export const policyCommand = () =>
  new Command("policy")
    .summary("the rules that decide: list, show, put, delete, enable, disable, test, simulate, diff, apply")
    .addHelpText("after", "\nWithout a command: lists them. With --json: one rule a line.")
    .action((_options: object, command: Command) => list(command))
    .addCommand(
      new Command("list").summary("the rules in force").action((_options: object, command: Command) => list(command)),
    )
    .addCommand(
      new Command("show")
        .summary("a rule, as it would be written")
        .argument("<id>", "which rule")
        .option("--versions", "the versions that it has had, newest first")
        .addHelpText("after", "\nWhat it prints can be changed and put. With --json: one document.")
        .action(show),
    )
    .addCommand(
      new Command("put")
        .summary("put rules of a file in force, all of them or none")
        .argument("<file>", "YAML or JSON: a rule, a list of rules, or several documents; - is the standard input")
        .addHelpText(
          "after",
          "\nWithout asking; apply shows first what changes. Rules that are not in the file stay as they are. " +
            "With --json: one rule a line.",
        )
        .action(put),
    )
    .addCommand(
      new Command("delete")
        .summary("delete a rule; one of the pack that was changed is as it came again")
        .argument("<id>", "which rule")
        .action(async (id: string, _options: object, command: Command) => {
          const changes = await clientFor(command).policy.remove(id);
          if (wantsJson(command)) return print(JSON.stringify(changes));
          await print(changes.deleted.length > 0 ? `deleted ${id}` : `${id} is as it came`);
        }),
    )
    .addCommand(switchCommand("enable", true))
    .addCommand(switchCommand("disable", false))
    .addCommand(testCommand())
    .addCommand(simulateCommand())
    .addCommand(diffCommand())
    .addCommand(applyCommand());

const switchCommand = (name: string, enabled: boolean) =>
  new Command(name)
    .summary(enabled ? "switch a rule on" : "switch a rule off; what it waits for is dropped")
    .argument("<id>", "which rule")
    .action(async (id: string, _options: object, command: Command) => {
      const policy = await clientFor(command).policy.enable(id, enabled);
      if (wantsJson(command)) return print(JSON.stringify(policy));
      await print(`${id} is ${policy.enabled ? "on" : "off"}, version ${policy.version}`);
    });

async function list(command: Command): Promise<void> {
  const policies = await clientFor(command).policy.list();
  if (wantsJson(command)) return printLines(policies);
  await printTable(policies, columns, "no rules");
}

async function show(id: string, { versions: wanted }: { versions?: true }, command: Command): Promise<void> {
  const { policy, versions } = await clientFor(command).policy.show(id);
  if (wantsJson(command)) return print(JSON.stringify({ policy, versions }));
  if (wanted === true) return printTable(versions, versionColumns, "no versions");
  if (policy === null) throw new Failure(`${id} was deleted; --versions shows what it was`);
  const { built_in, modified, changed_at, changed_by, ...rule } = policy;
  const from = built_in ? (modified ? "one of the pack, changed" : "one of the pack") : "made";
  remark(`# ${from} at ${changed_at}${changed_by === null ? "" : ` by ${changed_by}`}`);
  await print(stringify(rule, { lineWidth: 120 }).trimEnd());
}

const versionColumns: readonly Column<PolicyVersion>[] = [
  ["VERSION", ({ version }) => version],
  ["CHANGED", ({ changed_at }) => changed_at],
  ["BY", ({ changed_by }) => changed_by],
  ["AFTER", ({ after_seq }) => after_seq],
  ["RULE", ({ rule }) => (rule === null ? "deleted" : rule.enabled ? "on" : "off")],
];

async function put(file: string, _options: object, command: Command): Promise<void> {
  const { policy } = clientFor(command);
  const written = readRuleFile(file);
  await policy.change(written.map((rule) => bodyOf(rule)));
  const named = new Set(written.map(({ id }) => id));
  for (const rule of (await policy.list()).filter(({ id }) => named.has(id))) {
    await print(wantsJson(command) ? JSON.stringify(rule) : `${rule.id} is in force, version ${rule.version}`);
  }
}

function does({ then, expect }: Policy): string {
  const effects = then.map(({ emit, enqueue, webhook, maintenance }) => {
    if (emit !== undefined) return emit.signal;
    if (enqueue !== undefined) return `task in ${enqueue.queue}`;
    if (webhook !== undefined) return `webhook ${webhook.endpoint}`;
    return `maintenance ${maintenance?.enabled === true ? "on" : "off"}`;
  });
  return [...effects, ...(expect === undefined ? [] : [`expect ${expect.signal.join(" ")} in ${expect.within}`])].join(
    ", ",
  );
}
