import { Command } from "commander";
import type { AuditFilter } from "../../../src/client/audit.ts";
import type { AuditEntry } from "../../../src/core/audit/api.ts";
import { time, wholeNumber } from "../../arguments.ts";
import { at, type Column, printLines, printTable, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";
import { viewOptions, withVerbs } from "../verbs.ts";

const columns: readonly Column<AuditEntry>[] = [
  ["TIME", (row) => at(row.at), "key"],
  ["BY", ({ by }) => by, "key"],
  ["SESSION", ({ session }) => session],
  ["METHOD", ({ method }) => method],
  ["TARGET", ({ target }) => target, "text"],
  ["STATUS", ({ status }) => status],
  ["OUTCOME", ({ outcome }) => outcome, "state"],
];

interface Options {
  readonly deployment?: true;
  readonly by?: string;
  readonly target?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit?: number;
}

const PAGE = 1_000;

export const auditCommand = () => withVerbs(auditView("audit"), auditView("list"));

const auditView = (name: string) =>
  new Command(name)
    .summary("list who changed what, newest first")
    .option("--deployment", "of the deployment: tokens, and ecosystems that were deleted or imported")
    .option("--by <token>", "only calls of the token with this name or id")
    .option("--target <text>", "only calls whose path has this text")
    .option("--since <time>", "only calls at or after this (RFC 3339, or an age such as 10m)", time)
    .option("--until <time>", "only calls before this", time)
    .option("--limit <n>", "most entries (default: 100)", wholeNumber(1))
    .addHelpText("after", "\nWith --json: one entry a line.")
    .action(async (_options: object, command: Command) => {
      const { deployment, limit = 100, ...filter } = viewOptions<Options>(command);
      const { audit } = clientFor(command);
      const read = deployment === true ? audit.ofDeployment : audit.here;
      const entries: AuditEntry[] = [];
      let after: AuditFilter["after"];
      do {
        const rest = { limit: Math.min(limit - entries.length, PAGE), ...(after === undefined ? {} : { after }) };
        const page = await read({ ...filter, ...rest });
        entries.push(...page.entries);
        after = page.next ?? undefined;
      } while (after !== undefined && entries.length < limit);
      if (command.optsWithGlobals<GlobalOptions>().json === true) return printLines(entries);
      await printTable(entries, columns, "no calls match");
      if (after !== undefined) remark("there are more entries: raise --limit");
    });
