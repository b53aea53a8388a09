import { Command } from "commander";
import type { Budget } from "../../src/core/billing/budget.ts";
import { UsageError } from "../failure.ts";
import { print, printFields } from "../output.ts";
import { clientFor, type GlobalOptions } from "../settings.ts";
import { argumentAndCommand, withArgument, withVerbs } from "./verbs.ts";

export const budgetCommand = () =>
  withVerbs(budgetView("budget", "[usd]"), budgetView("show", undefined), budgetView("set", "<usd>"));

const budgetView = (name: string, argument: "[usd]" | "<usd>" | undefined) =>
  withArgument(new Command(name), argument, "US dollars a month, or off: no budget; without it, shows the budget")
    .summary("show or set what an ecosystem may cost a month on Cloudflare")
    .description(
      "At 80 % of the budget the signal ganglion.budget.warned is emitted, once a month. Above the budget observations are\n" +
        "sampled; other signals and tasks never are.",
    )
    .addHelpText("after", "\nWith --json: one document.")
    .action(async (...given: unknown[]) => {
      const [usd, command] = argumentAndCommand(given);
      const client = clientFor(command);
      const budget = usd === undefined ? await client.budget() : await client.setBudget({ monthly_usd: readUsd(usd) });
      if (command.optsWithGlobals<GlobalOptions>().json === true) return print(JSON.stringify(budget));
      await printFields({ budget: budgetText(budget), ...leftOutField(budget) });
    });

function readUsd(text: string): number | null {
  if (text === "off") return null;
  const usd = Number(text);
  if (Number.isFinite(usd) && usd > 0 && usd <= 1_000_000) return usd;
  throw new UsageError(
    `${JSON.stringify(text)} is no budget: give US dollars a month, above 0 and up to 1000000, or off`,
  );
}

/** A budget in one line. */
export function budgetText({ monthly_usd, spent_usd, month, state, checked_at }: Budget): string {
  if (monthly_usd === null) return "none";
  const used = `$${spent_usd.toFixed(2)} of $${monthly_usd} spent in ${month}`;
  if (checked_at === null) return `$${monthly_usd} a month; what is spent in ${month} was not counted yet`;
  const meaning = { none: "", within: "", warned: ": warned", exceeded: ": exceeded, observations are sampled" }[state];
  return `${used}${meaning}`;
}

/** What the budget cost of observations, for a list of fields. */
export const leftOutField = ({ observations: { left_out, taken_one_of } }: Budget): Record<string, string> =>
  left_out === 0 && taken_one_of === 1
    ? {}
    : {
        "observations left out": `${left_out} this month${taken_one_of === 1 ? "" : `; one of ${taken_one_of} is taken`}`,
      };
