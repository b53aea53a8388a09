import { Command } from "commander";
import { RULE_PACKS } from "../../../src/core/policy/rule-packs.ts";
import { UsageError } from "../../failure.ts";
import { type Column, print, printLines, printTable } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";

interface Pack {
  readonly pack: string;
  readonly enabled: readonly string[];
  readonly disabled: readonly string[];
}

const columns: readonly Column<Pack>[] = [
  ["PACK", ({ pack }) => pack, "key"],
  ["ENABLED", ({ enabled }) => enabled.join(" "), "text"],
  ["DISABLED", ({ disabled }) => disabled.join(" "), "text"],
];

export const packsCommand = () =>
  new Command("packs")
    .summary("the built-in rules in packs: list, enable, disable")
    .addHelpText("after", "\nWith --json: one pack a line.")
    .action((_options: object, command: Command) => list(command))
    .addCommand(switchCommand("enable", true))
    .addCommand(switchCommand("disable", false));

async function packs(command: Command): Promise<Pack[]> {
  const rules = new Map((await clientFor(command).policy.list()).map(({ id, enabled }) => [id, enabled]));
  return Object.entries(RULE_PACKS).map(([pack, ids]) => {
    // An edge of an earlier version does not know all of them.
    const known = ids.filter((id) => rules.has(id));
    return {
      pack,
      enabled: known.filter((id) => rules.get(id) === true),
      disabled: known.filter((id) => rules.get(id) === false),
    };
  });
}

async function list(command: Command): Promise<void> {
  const found = await packs(command);
  await (wantsJson(command) ? printLines(found) : printTable(found, columns, "no packs"));
}

const switchCommand = (name: string, enabled: boolean) =>
  new Command(name)
    .summary(`${name} all rules of a pack; a rule that was changed stays changed`)
    .argument("<pack>", Object.keys(RULE_PACKS).join(" or "))
    .action(async (pack: string, _options: object, command: Command) => {
      if (!Object.hasOwn(RULE_PACKS, pack))
        throw new UsageError(`No pack "${pack}": give ${Object.keys(RULE_PACKS).join(" or ")}`);
      const found = (await packs(command)).find((one) => one.pack === pack);
      const changing = (enabled ? found?.disabled : found?.enabled) ?? [];
      const { policy } = clientFor(command);
      for (const id of changing) await policy.enable(id, enabled);
      const rules = changing.length === 0 ? "no rule" : changing.join(", ");
      if (wantsJson(command)) return print(JSON.stringify({ pack, enabled, changed: changing }));
      await print(`${pack} is ${enabled ? "enabled" : "disabled"}: ${rules} changed`);
    });
