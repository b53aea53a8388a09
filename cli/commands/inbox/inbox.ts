import { Command, Option } from "commander";
import type { InboxSource, InboxSourceInput, RequestMap } from "../../../src/core/inbox/source.ts";
import { UsageError } from "../../failure.ts";
import { type Column, print, printFields, printLines, printTable } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";
import { readSecret } from "../secret-file.ts";

const columns: readonly Column<InboxSource>[] = [
  ["NAME", ({ name }) => name, "key"],
  ["VERIFIED BY", ({ verify }) => verify.kind],
  ["SIGNAL", ({ signal }) => signal, "text"],
  ["SOURCE", ({ source }) => source],
  ["PATH", ({ path }) => path, "text"],
];

const KINDS = ["standard-webhooks", "github", "hmac", "token", "none"] as const;

interface SetOptions {
  readonly verify: (typeof KINDS)[number];
  readonly signal: string;
  readonly source?: string;
  readonly description?: string;
  readonly secretFile?: string;
  readonly header?: string;
  readonly prefix?: string;
  readonly encoding?: "hex" | "base64";
  readonly where?: string;
  readonly fact?: Readonly<Record<string, string>>;
  readonly id?: string;
  readonly signalBy?: string;
}

export const inboxCommand = () =>
  new Command("inbox")
    .summary("webhooks of other services that become signals: list, set, delete sources")
    .addHelpText("after", "\nWithout a command: lists the sources.")
    .action((_options: object, command: Command) => list(command))
    .addCommand(
      new Command("list")
        .summary("list the sources whose webhooks are taken")
        .addHelpText("after", "\nWith --json: one source a line.")
        .action((_options: object, command: Command) => list(command)),
    )
    .addCommand(setCommand())
    .addCommand(
      new Command("delete")
        .summary("delete a source: what it sends is refused from now on")
        .argument("<name>", "name of the source")
        .action(async (name: string, _options: object, command: Command) => {
          await clientFor(command).inbox.remove(name);
          if (wantsJson(command)) return print(JSON.stringify({ name, deleted: true }));
          await printFields({ deleted: name });
        }),
    );

const setCommand = () =>
  new Command("set")
    .summary("add or replace a source; a generated secret is shown only now")
    .argument("<name>", "name of the source, the last part of the path to which it sends")
    .addOption(new Option("--verify <kind>", "how the source proves who it is").choices(KINDS).makeOptionMandatory())
    .requiredOption("--signal <name>", "name of the signal that a request becomes")
    .option("--source <source>", "source of the signal (default: inbox/<name>)")
    .option("--description <text>", "purpose of the source")
    .option("--secret-file <file>", "file with the secret (default: generated); - reads the input")
    .option("--header <name>", "header that holds the signature (hmac) or the secret (token)")
    .option("--prefix <text>", "what stands before the signature, such as sha256= (hmac)")
    .addOption(
      new Option("--encoding <encoding>", "how the signature is written (hmac; default: hex)").choices([
        "hex",
        "base64",
      ]),
    )
    .option("--where <expression>", "requests for which this is false are acknowledged, and nothing is stored")
    .option("--fact <name=expression>", "a fact of the signal; repeat it (default: the whole body)", fact)
    .option("--id <expression>", "id by which a repeated request is known (default: that of the delivery)")
    .option("--signal-by <expression>", "name of the signal, where it depends on the request")
    .addHelpText(
      "after",
      "\nExpressions are CEL, over `body`, `headers` (names in lower case) and `facts` (the body, where it is an object)." +
        "\nWith --json: one document, with a generated secret in `secret`.",
    )
    .action(async (name: string, options: SetOptions, command: Command) => {
      const made = await clientFor(command).inbox.put(name, await sourceOf(options));
      if (wantsJson(command)) return print(JSON.stringify(made));
      await printFields({
        name,
        path: made.path,
        signal: made.signal,
        secret: made.secret ?? (options.verify === "none" ? "none: a request needs a token" : "unchanged"),
      });
    });

async function sourceOf(options: SetOptions): Promise<InboxSourceInput> {
  const { verify: kind, signal, source, description, secretFile, where, fact: facts, id, signalBy } = options;
  if (kind === "none" && secretFile !== undefined)
    throw new UsageError("a source that is verified by none has no secret: leave --secret-file out");
  const secret = secretFile === undefined ? {} : { secret: await readSecret(secretFile, "secret") };
  const map: RequestMap = {
    ...(where === undefined ? {} : { where }),
    ...(facts === undefined ? {} : { facts }),
    ...(id === undefined ? {} : { id }),
    ...(signalBy === undefined ? {} : { signal: signalBy }),
  };
  return {
    verify: verificationOf(options, secret),
    signal,
    ...(source === undefined ? {} : { source }),
    ...(description === undefined ? {} : { description }),
    ...(Object.keys(map).length === 0 ? {} : { map }),
  };
}

function verificationOf(
  { verify: kind, header, prefix, encoding }: SetOptions,
  secret: { readonly secret?: string },
): InboxSourceInput["verify"] {
  if (kind !== "hmac" && kind !== "token") return kind === "none" ? { kind } : { kind, ...secret };
  if (header === undefined)
    throw new UsageError(
      `--verify ${kind} needs --header: where the ${kind === "hmac" ? "signature" : "secret"} stands`,
    );
  if (kind === "token") return { kind, header, ...secret };
  return {
    kind,
    header,
    ...(prefix === undefined ? {} : { prefix }),
    ...(encoding === undefined ? {} : { encoding }),
    ...secret,
  };
}

function fact(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, name, expression] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || expression === undefined)
    throw new UsageError(`--fact ${text}: write name=expression, such as repo=body.repository.full_name`);
  return { ...before, [name]: expression };
}

async function list(command: Command): Promise<void> {
  const sources = await clientFor(command).inbox.list();
  if (wantsJson(command)) return printLines(sources);
  await printTable(sources, columns, "no sources: nobody may send webhooks");
}
