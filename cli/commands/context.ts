import { resolve } from "node:path";
import { Command } from "commander";
import { type Context, type Contexts, contextNamed, readContexts, requirePrivate, writeContexts } from "../contexts.ts";
import { UsageError } from "../failure.ts";
import { type Column, print, printFields, printLines, printTable, remark } from "../output.ts";
import { type GlobalOptions, readUrl, wantsJson } from "../settings.ts";

interface Row extends Context {
  readonly name: string;
  readonly current: boolean;
}

const columns: readonly Column<Row>[] = [
  ["NAME", ({ name }) => name],
  ["IN USE", ({ current }) => (current ? "yes" : "")],
  ["URL", ({ url }) => url],
  ["ECOSYSTEM", ({ ecosystem }) => ecosystem],
  ["TOKEN FILE", ({ token_file }) => token_file],
];

export const contextCommand = () =>
  new Command("context")
    .summary("names for edges that you work with: their URL, the file of their token, the ecosystem")
    .addHelpText(
      "after",
      '\nWithout a command: lists them. With --json: one a line. What comes before what: "ganglion help contexts".',
    )
    .action((_options: object, command: Command) => list(command))
    .addCommand(
      new Command("list").summary("list the contexts").action((_options: object, command: Command) => list(command)),
    )
    .addCommand(
      new Command("add")
        .summary("add or replace a context, from --url, --token-file and --ecosystem")
        .argument("<name>", "name of the context")
        .option("--use", "use it from now on")
        .action(add),
    )
    .addCommand(
      new Command("use")
        .summary("use a context from now on")
        .argument("[name]", "name of the context")
        .option("--none", "use none")
        .action(use),
    )
    .addCommand(
      new Command("show")
        .summary("show a context")
        .argument("[name]", "name of the context (default: the one in use)")
        .action(show),
    )
    .addCommand(
      new Command("delete")
        .summary("delete a context; its token file stays")
        .argument("<name>", "name of the context")
        .action(remove),
    );

const rowsOf = ({ current, contexts }: Contexts): Row[] =>
  Object.entries(contexts).map(([name, context]) => ({ name, current: name === current, ...context }));

async function list(command: Command): Promise<void> {
  const rows = rowsOf(readContexts(process.env));
  if (wantsJson(command)) return printLines(rows);
  await printTable(rows, columns, 'no contexts: add one with "ganglion context add <name> --url … --token-file …"');
}

async function add(name: string, { use: using }: { use?: true }, command: Command): Promise<void> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name))
    throw new UsageError(
      "a context's name starts with a letter or digit and holds letters, digits and . _ - (63 at most)",
    );
  const { url, tokenFile, ecosystem } = command.optsWithGlobals<GlobalOptions>();
  if (url === undefined) throw new UsageError("a context needs the URL of its edge: give --url");
  const file = tokenFile === undefined ? undefined : resolve(tokenFile);
  if (file !== undefined) requirePrivate(file);
  const context: Context = {
    url: readUrl({ url }, {}).href,
    ...(file !== undefined && { token_file: file }),
    ...(ecosystem !== undefined && { ecosystem }),
  };
  const before = readContexts(process.env);
  const current = using === true ? name : before.current;
  writeContexts(process.env, { current, contexts: { ...before.contexts, [name]: context } });
  await answer(command, { name, current: name === current, ...context });
}

async function use(name: string | undefined, { none }: { none?: true }, command: Command): Promise<void> {
  if ((name === undefined) === (none === undefined)) throw new UsageError("name the context to use, or give --none");
  const all = readContexts(process.env);
  if (name !== undefined) contextNamed(name, all);
  writeContexts(process.env, { ...all, current: name ?? null });
  if (wantsJson(command)) return print(JSON.stringify({ current: name ?? null }));
  remark(name === undefined ? "no context is in use" : `${name} is in use`);
}

async function show(name: string | undefined, _options: object, command: Command): Promise<void> {
  const all = readContexts(process.env);
  const shown = name ?? all.current;
  if (shown === null) throw new UsageError("no context is in use: name one");
  await answer(command, { name: shown, current: shown === all.current, ...contextNamed(shown, all) });
}

async function remove(name: string, _options: object, command: Command): Promise<void> {
  const all = readContexts(process.env);
  contextNamed(name, all);
  const { [name]: _, ...contexts } = all.contexts;
  writeContexts(process.env, { current: all.current === name ? null : all.current, contexts });
  if (wantsJson(command)) return print(JSON.stringify({ name, deleted: true }));
  remark(`${name} is deleted`);
}

async function answer(command: Command, row: Row): Promise<void> {
  if (wantsJson(command)) return print(JSON.stringify(row));
  const { name, current, url, ecosystem, token_file } = row;
  await printFields({ name, "in use": current ? "yes" : "no", url, ecosystem, "token file": token_file });
}
