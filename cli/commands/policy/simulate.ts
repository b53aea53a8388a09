import { existsSync } from "node:fs";
import { Command, Option } from "commander";
import type { Client } from "../../../src/client/client.ts";
import type { Replayed } from "../../../src/core/policy/replay.ts";
import type { Rule } from "../../../src/core/policy/rule.ts";
import {
  countOutcomes,
  type Difference,
  differencesOf,
  type SimulatedDecision,
} from "../../../src/core/policy/simulation.ts";
import { lengthOfTime, time, wholeNumber } from "../../arguments.ts";
import { UsageError } from "../../failure.ts";
import { type Column, print, printTable, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";
import { describeDecision, describeDifferences, withWritten } from "./compare.ts";
import { describeWarmUp, replay, type Stretch } from "./replay.ts";
import { readRuleFile } from "./rule-file.ts";

const columns: readonly Column<SimulatedDecision>[] = [
  ["TIME", ({ at }) => at],
  ["RULE", ({ rule }) => rule],
  ["SIGNAL", ({ signal }) => `${signal.signal} ${signal.id}`],
  ["OUTCOME", describeDecision],
];

/** For commands that replay a stretch of the log. */
export const warmUpOption = () =>
  new Option(
    "--warm-up <time>",
    "how far before --since to look for what was under way then, such as 2h; 0: begin with nothing " +
      "(default: as far back as the rules in force look)",
  ).argParser(lengthOfTime);

interface SimulateOptions extends Stretch {
  readonly limit: number;
}

export const simulateCommand = () =>
  new Command("simulate")
    .summary("what rules would have done with what has been")
    .description(
      "Run the rules of a file, or one in force, over stored signals, and show what they would have decided, and how that " +
        "differs from the rules in force. They begin with what was under way then. Nothing is written.",
    )
    .argument("<file or id>")
    .requiredOption("--since <time>", "from a time, or an age such as 24h", time)
    .option("--until <time>", "until a time, or an age (default: now)", time)
    .addOption(warmUpOption())
    .option("--limit <n>", "decisions and differences shown", wholeNumber(1), 50)
    .addHelpText("after", "\nWith --json: one document.")
    .action(async (what: string, options: SimulateOptions, command: Command) => {
      const client = clientFor(command);
      const deployed = await client.policy.list();
      const { rules, ids } = rulesFor(what, deployed);
      const { decisions, signals, warm_up } = await replay(client, deployed, [deployed, rules], options);
      const [before = [], after = []] = decisions;
      const own = after.filter(({ rule }) => ids.has(rule));
      const differences = differencesOf(before, after);
      if (command.optsWithGlobals<GlobalOptions>().json === true) {
        return print(JSON.stringify({ signals, warm_up, outcomes: countOutcomes(own), decisions: own, differences }));
      }
      await printTable(own.slice(0, options.limit), columns, "they would have decided nothing");
      await printDifferences(differences, options.limit);
      remark(describeWarmUp(warm_up));
      remark(`${signals} signals looked at: ${counted(own)}`);
    });

/** Prints how two sets of rules differ over the same history. */
async function printDifferences(differences: ReturnType<typeof differencesOf>, limit: number): Promise<void> {
  if (differences.length === 0) return remark("no difference to the rules in force");
  await print("\nDifferent from the rules in force (- now, + then):");
  await print(describeDifferences(differences.slice(0, limit)).join("\n"));
  if (differences.length > limit) remark(`${differences.length - limit} more differences; raise --limit`);
}

/** What would have been decided otherwise with other rules. @returns it, for programs */
export async function showDifferences(
  client: Client,
  deployed: readonly Rule[],
  rules: readonly Rule[],
  { json, limit, ...stretch }: Stretch & { readonly json: boolean; readonly limit: number },
): Promise<{ differences: Difference[]; warm_up: Replayed["warm_up"] }> {
  const { decisions, signals, warm_up } = await replay(client, deployed, [deployed, rules], stretch);
  const differences = differencesOf(decisions[0] ?? [], decisions[1] ?? []);
  if (!json) {
    await printDifferences(differences, limit);
    remark(describeWarmUp(warm_up));
    remark(`${signals} signals looked at`);
  }
  return { differences, warm_up };
}

function rulesFor(what: string, deployed: readonly Rule[]): { rules: readonly Rule[]; ids: ReadonlySet<string> } {
  if (existsSync(what) || /\.(ya?ml|json)$/.test(what)) {
    const written = readRuleFile(what);
    return { rules: withWritten(written, deployed), ids: new Set(written.map(({ id }) => id)) };
  }
  const rule = deployed.find(({ id }) => id === what);
  if (rule === undefined) throw new UsageError(`there is neither a file nor a rule "${what}"`);
  // As if it were on: a rule is tried before it is switched on.
  const rules = deployed.map((one) => (one === rule ? { ...rule, enabled: true } : one));
  return { rules, ids: new Set([what]) };
}

function counted(decisions: readonly SimulatedDecision[]): string {
  const total = { fired: 0, suppressed: 0, failed: 0 };
  for (const { outcome } of decisions) total[outcome]++;
  return `${total.fired} fired, ${total.suppressed} suppressed, ${total.failed} failed`;
}
