import { existsSync } from "node:fs";
import { Command, Option } from "commander";
import type { Client } from "../../../src/client/client.ts";
import { differencesOf } from "../../../src/core/policy/decision-difference.ts";
import type { ReplayResult } from "../../../src/core/policy/replay.ts";
import type { Rule } from "../../../src/core/policy/rule.ts";
import type { DecisionDifference, SimulatedDecision } from "../../../src/core/policy/simulated.ts";
import { countOutcomes } from "../../../src/core/policy/simulation.ts";
import { lengthOfTime, time, wholeNumber } from "../../arguments.ts";
import { UsageError } from "../../failure.ts";
import { at, type Column, print, printTable, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";
import { describeDecision, describeDecisionDifferences, withWritten } from "./compare.ts";
import { describeWarmUp, replay, type Stretch } from "./replay.ts";
import { readRuleFile } from "./rule-file.ts";

const columns: readonly Column<SimulatedDecision>[] = [
  ["TIME", (row) => at(row.at), "key"],
  ["RULE", ({ rule }) => rule, "key"],
  ["SIGNAL", ({ signal }) => `${signal.signal} ${signal.id}`, "text"],
  ["OUTCOME", describeDecision, "text"],
];

/** An option of the commands that replay a stretch of the log. */
export const warmUpOption = () =>
  new Option(
    "--warm-up <time>",
    "length of the warm-up before --since that derives the initial state, such as 2h; 0: begin without state " +
      "(default: as far back as the rules in force look)",
  ).argParser(lengthOfTime);

interface SimulateOptions extends Stretch {
  readonly limit: number;
}

export const simulateCommand = () =>
  new Command("simulate")
    .summary("simulate rules on stored signals")
    .description(
      "Run the rules of a file, or a rule in force, over stored signals. Show their decisions, and how these differ from " +
        "the decisions of the rules in force. The simulation begins with the state of that time and writes nothing.",
    )
    .argument("<file or id>")
    .requiredOption("--since <time>", "from a time, or an age such as 24h", time)
    .option("--until <time>", "until a time, or an age (default: now)", time)
    .addOption(warmUpOption())
    .option("--limit <n>", "decisions and differences shown", wholeNumber(1), 50)
    .addHelpText("after", "\nWith --json: one document.")
    .action(async (fileOrId: string, options: SimulateOptions, command: Command) => {
      const client = clientFor(command);
      const deployed = await client.policy.list();
      const { rules, ids } = await rulesFor(fileOrId, deployed);
      const { decisions, signals, warm_up } = await replay(client, deployed, [deployed, rules], options);
      const [before = [], after = []] = decisions;
      const own = after.filter(({ rule }) => ids.has(rule));
      const differences = differencesOf(before, after);
      if (command.optsWithGlobals<GlobalOptions>().json === true) {
        return print(JSON.stringify({ signals, warm_up, outcomes: countOutcomes(own), decisions: own, differences }));
      }
      await printTable(own.slice(0, options.limit), columns, "no decisions");
      await printDifferences(differences, options.limit);
      remark(describeWarmUp(warm_up));
      remark(`${signals} signals processed: ${describeCounts(own)}`);
    });

/** Prints how the decisions of two sets of rules differ. */
async function printDifferences(differences: ReturnType<typeof differencesOf>, limit: number): Promise<void> {
  if (differences.length === 0) return remark("the same decisions as the rules in force");
  await print("\nDifferences to the rules in force (- in force, + simulated):");
  await print(describeDecisionDifferences(differences.slice(0, limit)).join("\n"));
  if (differences.length > limit) remark(`${differences.length - limit} more differences: raise --limit`);
}

/** Simulates other rules, prints the different decisions, unless `json`, and returns them. */
export async function showDifferences(
  client: Client,
  deployed: readonly Rule[],
  rules: readonly Rule[],
  { json, limit, ...stretch }: Stretch & { readonly json: boolean; readonly limit: number },
): Promise<{ differences: DecisionDifference[]; warm_up: ReplayResult["warm_up"] }> {
  const { decisions, signals, warm_up } = await replay(client, deployed, [deployed, rules], stretch);
  const differences = differencesOf(decisions[0] ?? [], decisions[1] ?? []);
  if (!json) {
    await printDifferences(differences, limit);
    remark(describeWarmUp(warm_up));
    remark(`${signals} signals processed`);
  }
  return { differences, warm_up };
}

async function rulesFor(
  fileOrId: string,
  deployed: readonly Rule[],
): Promise<{ rules: readonly Rule[]; ids: ReadonlySet<string> }> {
  if (existsSync(fileOrId) || /\.(ya?ml|json)$/.test(fileOrId)) {
    const written = await readRuleFile(fileOrId);
    return { rules: withWritten(written, deployed), ids: new Set(written.map(({ id }) => id)) };
  }
  const rule = deployed.find(({ id }) => id === fileOrId);
  if (rule === undefined)
    throw new UsageError(`No file and no rule "${fileOrId}". List rules: \`ganglion policy list\``);
  // Simulated as enabled: people try a rule before they enable it.
  const rules = deployed.map((one) => (one === rule ? { ...rule, enabled: true } : one));
  return { rules, ids: new Set([fileOrId]) };
}

function describeCounts(decisions: readonly SimulatedDecision[]): string {
  const total = { fired: 0, suppressed: 0, failed: 0 };
  for (const { outcome } of decisions) total[outcome]++;
  return `${total.fired} fired, ${total.suppressed} suppressed, ${total.failed} failed`;
}
