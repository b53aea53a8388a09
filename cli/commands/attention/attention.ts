import { Command } from "commander";
import type { AttentionItem, AttentionPage } from "../../../src/core/attention/api.ts";
import { byUrgency } from "../../../src/core/attention/items.ts";
import { type Column, print, printTable, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";

const columns: readonly Column<AttentionItem>[] = [
  ["SEVERITY", ({ severity }) => severity],
  ["KIND", ({ kind }) => kind],
  ["SUBJECT", ({ subject }) => subject],
  ["SINCE", ({ since }) => since],
  ["WHY", ({ why }) => why],
  ["NEXT STEP", ({ next_step }) => next_step],
];
const everywhere: readonly Column<AttentionItem>[] = [["ECOSYSTEM", ({ ecosystem }) => ecosystem], ...columns];

const NOTHING = "nothing needs somebody";

export const attentionCommand = () =>
  new Command("attention")
    .summary("list what needs somebody, most urgent first")
    .option("--all-ecosystems", "of all ecosystems that the token may see")
    .addHelpText(
      "after",
      "\nWith --json: one document, as GET /v1/{eco}/attention gives it; with --all-ecosystems as GET /v1/attention does.",
    )
    .action(async ({ allEcosystems }: { allEcosystems?: true }, command: Command) => {
      const { attention } = clientFor(command);
      const wantsJson = command.optsWithGlobals<GlobalOptions>().json === true;
      if (allEcosystems !== true) {
        const here = await attention.here();
        return wantsJson ? print(JSON.stringify(here)) : printTable(here.items, columns, NOTHING);
      }
      const found = await wholeAttention(attention.everywhere);
      if (wantsJson) return print(JSON.stringify(found));
      await printTable(found.items, everywhere, NOTHING);
      for (const { name, failed } of found.ecosystems) if (failed !== undefined) remark(`${name}: ${failed}`);
    });

/** All pages as one document. */
async function wholeAttention(everywhere: (after?: string) => Promise<AttentionPage>): Promise<AttentionPage> {
  let page = await everywhere();
  const pages = [page];
  while (page.next !== null) {
    page = await everywhere(page.next);
    pages.push(page);
  }
  return {
    items: pages.flatMap(({ items }) => items).sort(byUrgency),
    ecosystems: pages.flatMap(({ ecosystems }) => ecosystems),
    checked_at: pages[0]?.checked_at ?? page.checked_at,
    next: null,
  };
}
