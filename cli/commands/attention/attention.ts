import { Command } from "commander";
import type { Attention, AttentionItem, AttentionPage } from "../../../src/core/attention/api.ts";
import { byUrgency } from "../../../src/core/attention/order.ts";
import { UsageError } from "../../failure.ts";
import { at, type Column, print, printTable, remark } from "../../output.ts";
import { clientFor, type GlobalOptions, wantsJson } from "../../settings.ts";

const columns: readonly Column<AttentionItem>[] = [
  ["SEVERITY", ({ severity }) => severity, "state"],
  ["KIND", ({ kind }) => kind, "key"],
  ["SUBJECT", ({ subject }) => subject, "key"],
  ["SINCE", ({ since }) => at(since), "whole"],
  ["EFFECTS", ({ effects_total }) => (effects_total === 0 ? null : effects_total)],
  ["WHY", ({ why }) => why, "text"],
  ["NEXT STEP", ({ next_step }) => next_step, "text"],
];
const everywhere: readonly Column<AttentionItem>[] = [["ECOSYSTEM", ({ ecosystem }) => ecosystem], ...columns];

const NOTHING = "nothing needs somebody";

interface Options {
  readonly allEcosystems?: true;
}

export const attentionCommand = () =>
  new Command("attention")
    .alias("problems")
    .summary("list what needs somebody, most urgent first")
    .description(
      "List what needs somebody, a row for each cause, most urgent first. What follows from a cause, such as the processes of " +
        "a host that is down, is counted in EFFECTS; --json names it, with what happens if nobody acts, and one safe call.",
    )
    .option("--all-ecosystems", "of all ecosystems that the token may see")
    .addHelpText(
      "after",
      "\nWith --json: one document, as GET /v1/{eco}/attention gives it, and with --watch one a line; with --all-ecosystems " +
        "as GET /v1/attention does.",
    )
    .action(async ({ allEcosystems }: Options, command: Command) => {
      const { attention } = clientFor(command);
      const { watch } = command.optsWithGlobals<GlobalOptions>();
      const json = wantsJson(command);
      if (watch === true) {
        if (allEcosystems === true) throw new UsageError("--watch shows one ecosystem: leave --all-ecosystems out");
        const stopping = new AbortController();
        process.once("SIGINT", () => stopping.abort());
        process.once("SIGTERM", () => stopping.abort());
        for await (const now of attention.watch({ signal: stopping.signal })) await show(now, json, true);
        return;
      }
      if (allEcosystems !== true) return show(await attention.here(), json, false);
      const found = await wholeAttention(attention.everywhere);
      if (json) return print(JSON.stringify(found));
      await printTable(found.items, everywhere, NOTHING);
      for (const { name, failed } of found.ecosystems) if (failed !== undefined) remark(`${name}: ${failed}`);
      remarks(found);
    });

async function show(now: Attention, json: boolean, timed: boolean): Promise<void> {
  if (json) return print(JSON.stringify(now));
  if (timed) await print(`\n${now.checked_at}${now.items.length === 0 ? `  ${NOTHING}` : ""}`);
  if (!timed || now.items.length > 0) await printTable(now.items, columns, NOTHING);
  remarks(now);
}

function remarks({ left_out, unread }: Attention): void {
  if (left_out > 0) remark(`${left_out} more causes are left out: see to the first ones`);
  if (unread.length > 0) remark(`not looked at: ${unread.join(", ")}`);
}

/** All pages as one document. */
async function wholeAttention(everywhere: (after?: string) => Promise<AttentionPage>): Promise<AttentionPage> {
  let page = await everywhere();
  const pages = [page];
  while (page.next !== null) {
    page = await everywhere(page.next);
    pages.push(page);
  }
  const sum = (count: (page: AttentionPage) => number) => pages.reduce((all, each) => all + count(each), 0);
  return {
    items: pages.flatMap(({ items }) => items).sort(byUrgency),
    ecosystems: pages.flatMap(({ ecosystems }) => ecosystems),
    checked_at: pages[0]?.checked_at ?? page.checked_at,
    total: sum(({ total }) => total),
    critical: sum(({ critical }) => critical),
    left_out: sum(({ left_out }) => left_out),
    unread: pages.flatMap(({ unread }) => unread),
    next: null,
  };
}
