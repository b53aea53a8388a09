import { Command } from "commander";
import type { TokenRecord } from "../../../src/core/access/api.ts";
import { BINDINGS, bindingsOf } from "../../../src/core/access/bindings.ts";
import { isScope, SCOPES } from "../../../src/core/access/scopes.ts";
import { nearest } from "../../../src/core/problem/nearest.ts";
import { list, timeAhead } from "../../arguments.ts";
import { UsageError } from "../../failure.ts";
import { at, type Column, print, printFields, printLines, printTable } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";

const columns: readonly Column<TokenRecord>[] = [
  ["ID", ({ id }) => id, "key"],
  ["NAME", ({ name }) => name, "key"],
  ["SCOPES", ({ scopes }) => scopes.join(","), "text"],
  ["ECOSYSTEMS", ({ ecosystems }) => ecosystems.join(",")],
  ["BOUND TO", (token) => boundTo(token) || "-"],
  ["EXPIRES", ({ expires_at }) => at(expires_at) ?? "never", "whole"],
  ["CREATED", ({ created_at }) => at(created_at), "whole"],
];

/** What a token is bound to, such as `hosts=gpu-01 recipients=coder,review-*`; empty: nothing. */
const boundTo = (token: TokenRecord) =>
  BINDINGS.flatMap((kind) => (token[kind] === undefined ? [] : [`${kind}=${token[kind].join(",")}`])).join(" ");

interface CreateOptions {
  readonly scope: string[];
  readonly for?: string[];
  readonly host?: string[];
  readonly source?: string[];
  readonly recipient?: string[];
  readonly expires?: string;
}

function unknownScope(scope: string): string {
  const near = nearest(scope, SCOPES);
  return `unknown scope "${scope}"${near === undefined ? "" : `; did you mean ${near}?`} Give one of ${SCOPES.join(", ")}`;
}

const BOUND = "(default: any); a name, or the beginning of names with a *; repeat the option or use commas";

export const tokensCommand = () =>
  new Command("tokens")
    .summary("create, list and delete tokens")
    .addCommand(
      new Command("create")
        .summary("create a token; it is shown only now")
        .argument("<name>", "where the token will be used")
        .requiredOption(
          "--scope <scope>",
          `scope of the token: ${SCOPES.join(", ")}; repeat the option or use commas`,
          list,
        )
        .option("--for <ecosystem>", "ecosystem of the token (default: *, all); repeat the option or use commas", list)
        .option("--host <host>", `host that the token may speak and work for ${BOUND}`, list)
        .option("--source <source>", `source that signals of the token may name ${BOUND}`, list)
        .option("--recipient <recipient>", `recipient whose tasks the token may take ${BOUND}`, list)
        .option(
          "--expires <time>",
          "when the token expires: a time, or how long from now, such as 7d (default: never)",
          timeAhead,
        )
        .addHelpText("after", "\nWith --json: one document, with the token in `token`.")
        .action(async (name: string, options: CreateOptions, command: Command) => {
          const unknown = options.scope.find((scope) => !isScope(scope));
          if (unknown !== undefined) throw new UsageError(unknownScope(unknown));
          const created = await clientFor(command).tokens.create({
            name,
            scopes: options.scope.filter(isScope),
            ecosystems: options.for ?? ["*"],
            expires_at: options.expires ?? null,
            ...bindingsOf({ hosts: options.host, sources: options.source, recipients: options.recipient }),
          });
          if (wantsJson(command)) return print(JSON.stringify(created));
          const { token, id, scopes, ecosystems, expires_at } = created;
          const bound = boundTo(created);
          await printFields({
            token,
            id,
            scopes: scopes.join(","),
            ecosystems: ecosystems.join(","),
            ...(bound === "" ? {} : { bound }),
            expires: expires_at ?? "never",
          });
        }),
    )
    .addCommand(
      new Command("list")
        .summary("list all tokens, without their secrets")
        .addHelpText("after", "\nWith --json: one token a line.")
        .action(async (_options: object, command: Command) => {
          const tokens = await clientFor(command).tokens.list();
          if (wantsJson(command)) return printLines(tokens);
          await printTable(tokens, columns, "no tokens besides ADMIN_TOKEN");
        }),
    )
    .addCommand(
      new Command("delete")
        .summary("delete a token")
        .argument("<id>", "id of the token, as the list shows it")
        .addHelpText("after", "\nWith --json: one document.")
        .action(async (id: string, _options: object, command: Command) => {
          await clientFor(command).tokens.delete(id);
          if (wantsJson(command)) return print(JSON.stringify({ id, deleted: true }));
          await printFields({ deleted: id });
        }),
    );
