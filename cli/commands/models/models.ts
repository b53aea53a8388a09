import { Command, Option } from "commander";
import { ApiProblem } from "../../../src/client/http/problem-errors.ts";
import { inputOf, type ModelSettingsInput, type ModelSettingsView } from "../../../src/core/models/settings.ts";
import { amount, wholeNumber } from "../../arguments.ts";
import { Failure, UsageError } from "../../failure.ts";
import { type Column, print, printTable, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";
import { readSecret } from "../secret-file.ts";

type Shown = ModelSettingsView["models"][number];
type Wanted = NonNullable<ModelSettingsInput["models"]>[number];

const columns: readonly Column<Shown>[] = [
  ["NAME", ({ name }) => name],
  ["KIND", ({ kind }) => kind],
  ["MODEL", ({ model }) => model],
  ["KEY", (model) => (model.kind === "openai" ? (model.has_key ? "yes" : "no") : "-")],
  ["PRICE IN", ({ price_in }) => price_in],
  ["PRICE OUT", ({ price_out }) => price_out],
  ["ANSWER", ({ max_tokens }) => max_tokens],
  ["URL", (model) => (model.kind === "openai" ? model.url : null)],
];

/** The settings as they are sent. */
interface Wished extends Required<Pick<ModelSettingsView, "enabled" | "daily">> {
  readonly models: Wanted[];
}

interface SetOptions {
  readonly kind?: "openai" | "workers-ai";
  readonly model?: string;
  readonly endpoint?: string;
  readonly keyFile?: string;
  readonly priceIn?: number;
  readonly priceOut?: number;
  readonly maxTokens?: number;
}

/** The settings hold keys that nobody is shown: they stay with their models when the others are sent back. */
export const modelsCommand = () =>
  new Command("models")
    .summary("language models that rules may ask: list, set, remove, enable, disable, budget")
    .addHelpText("after", "\nWithout a command: lists them. With --json: one document.")
    .action((_options: object, command: Command) => list(command))
    .addCommand(
      new Command("list")
        .summary("models, whether they are asked, and what was spent today")
        .addHelpText("after", "\nPrices are US dollars for a million tokens. With --json: one document.")
        .action((_options: object, command: Command) => list(command)),
    )
    .addCommand(
      new Command("set")
        .summary("add a model, or change what is named of it")
        .argument("<name>", "what rules call it")
        .option("--model <id>", "what its provider calls it")
        .addOption(new Option("--kind <kind>", "default of a new one: openai").choices(["openai", "workers-ai"]))
        .option("--endpoint <url>", "where chat completions are taken (openai)")
        .option("--key-file <file>", "file with its key; - is the standard input. It is kept and never shown")
        .option("--price-in <usd>", "US dollars for a million tokens of a question", amount(10_000))
        .option("--price-out <usd>", "US dollars for a million tokens of an answer", amount(10_000))
        .option("--max-tokens <n>", "longest answer", wholeNumber(16, 4_096))
        .addHelpText("after", "\nWith --json: one document, all settings as they are then.")
        .action(set),
    )
    .addCommand(
      new Command("remove")
        .summary("take a model away, with its key")
        .argument("<name>")
        .action(async (name: string, _options: object, command: Command) => {
          await change(command, `${name} is removed`, (settings) => {
            const models = settings.models.filter((model) => model.name !== name);
            if (models.length === settings.models.length) throw new Failure(`there is no model "${name}"`);
            return { ...settings, models };
          });
        }),
    )
    .addCommand(switchCommand("enable", true))
    .addCommand(switchCommand("disable", false))
    .addCommand(
      new Command("budget")
        .summary("how much may be asked in a day (UTC)")
        .option("--requests <n>", "questions", wholeNumber(0, 1_000_000))
        .option("--usd <amount>", "US dollars", amount(100_000))
        .addHelpText("after", "\nBeyond it rules go on as if nobody had answered. With --json: one document.")
        .action(budget),
    );

const switchCommand = (name: string, enabled: boolean) =>
  new Command(name)
    .summary(enabled ? "let rules ask" : "let no rule ask: each goes on with its fallback")
    .action(async (_options: object, command: Command) => {
      await change(command, `models are ${enabled ? "" : "not "}asked`, (settings) => ({ ...settings, enabled }));
    });

const wantsJson = (command: Command) => command.optsWithGlobals<GlobalOptions>().json === true;

async function list(command: Command): Promise<void> {
  const settings = await clientFor(command).models.settings();
  if (wantsJson(command)) return print(JSON.stringify(settings));
  await printTable(settings.models, columns, "no models");
  const { enabled, daily, spent } = settings;
  remark(
    `${enabled ? "on" : "off"}; today (${spent.day}) ${spent.requests} of ${daily.requests} questions and ` +
      `$${spent.usd.toFixed(4)} of $${daily.usd}`,
  );
}

async function set(name: string, options: SetOptions, command: Command): Promise<void> {
  const key = options.keyFile === undefined ? undefined : await readSecret(options.keyFile, "key");
  let lostKey = false;
  const after = await change(command, `${name} is set`, (settings, view) => {
    const before = settings.models.find((model) => model.name === name);
    const known = view.models.find((model) => model.name === name);
    lostKey = key === undefined && known?.kind === "openai" && known.has_key;
    const others = settings.models.filter((model) => model.name !== name);
    return { ...settings, models: [...others, modelOf(name, options, before, key)] };
  });
  const now = after.models.find((model) => model.name === name);
  if (lostKey && now?.kind === "openai" && !now.has_key) {
    remark("its key was for another address and is gone; give it with --key-file");
  }
}

function modelOf(name: string, options: SetOptions, before: Wanted | undefined, key: string | undefined): Wanted {
  const { kind = before?.kind ?? "openai", model = before?.model } = options;
  const url = options.endpoint ?? (before?.kind === "openai" ? before.url : undefined);
  if (model === undefined) throw new UsageError("give --model: what its provider calls it");
  const terms = {
    ...{ name, model },
    ...pick("price_in", options.priceIn ?? before?.price_in),
    ...pick("price_out", options.priceOut ?? before?.price_out),
    ...pick("max_tokens", options.maxTokens ?? before?.max_tokens),
  };
  if (kind === "workers-ai") {
    if (options.endpoint !== undefined || key !== undefined)
      throw new UsageError("workers-ai takes neither --endpoint nor a key");
    return { kind, ...terms };
  }
  if (url === undefined) throw new UsageError("give --endpoint, such as https://api.openai.com/v1/chat/completions");
  return { kind, ...terms, url, ...pick("api_key", key) };
}

const pick = <Name extends string, Value>(name: Name, value: Value | undefined) =>
  (value === undefined ? {} : { [name]: value }) as { [Field in Name]?: Value };

async function budget({ requests, usd }: { requests?: number; usd?: number }, command: Command): Promise<void> {
  if (requests === undefined && usd === undefined) throw new UsageError("give --requests, --usd, or both");
  await change(command, "the budget is set", (settings) => ({
    ...settings,
    daily: { requests: requests ?? settings.daily.requests, usd: usd ?? settings.daily.usd },
  }));
}

/** Changed by somebody else in between so often, something is wrong. */
const ATTEMPTS = 5;

/** Reads the settings, changes what is named of them, and says what came of it. */
async function change(
  command: Command,
  done: string,
  make: (settings: Wished, view: ModelSettingsView) => Wished,
): Promise<ModelSettingsView> {
  const { models } = clientFor(command);
  for (let attempt = 1; ; attempt++) {
    const view = await models.settings();
    try {
      const after = await models.replace({ ...make(inputOf(view), view), version: view.version });
      await print(wantsJson(command) ? JSON.stringify(after) : done);
      if (!after.enabled && after.models.length > 0)
        remark('no model is asked yet: switch it on with "ganglion models enable"');
      return after;
    } catch (error) {
      // Somebody else was quicker. What was named is changed in what they have left.
      if (attempt === ATTEMPTS || !(error instanceof ApiProblem && error.problem.status === 409)) throw error;
    }
  }
}
