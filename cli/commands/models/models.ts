import { Command, Option } from "commander";
import { ApiProblem } from "../../../src/client/http/problem-errors.ts";
import { inputOf, type ModelSettingsView } from "../../../src/core/models/api.ts";
import type { ModelSettingsInput } from "../../../src/core/models/settings.ts";
import { amount, wholeNumber } from "../../arguments.ts";
import { Failure, UsageError } from "../../failure.ts";
import { type Column, print, printTable, remark } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";
import { readSecret } from "../secret-file.ts";

type ModelShown = ModelSettingsView["models"][number];
type ModelInput = NonNullable<ModelSettingsInput["models"]>[number];

const columns: readonly Column<ModelShown>[] = [
  ["NAME", ({ name }) => name, "key"],
  ["KIND", ({ kind }) => kind],
  ["MODEL", ({ model }) => model, "text"],
  ["KEY", (model) => (model.kind === "openai" ? (model.has_key ? "yes" : "no") : "-")],
  ["PRICE IN", ({ price_in }) => price_in],
  ["PRICE OUT", ({ price_out }) => price_out],
  ["MAX TOKENS", ({ max_tokens }) => max_tokens],
  ["URL", (model) => (model.kind === "openai" ? model.url : null), "text"],
];

/** The settings of the next version, before they are sent. */
interface SettingsDraft extends Required<Pick<ModelSettingsView, "enabled" | "daily">> {
  readonly models: ModelInput[];
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

/**
 * The settings hold keys that are never shown. A key stays with its model when the settings are sent back without it.
 */
export const modelsCommand = () =>
  new Command("models")
    .summary("language models that rules may ask: list, set, delete, enable, disable, budget")
    .addHelpText("after", "\nWithout a command: lists them. With --json: one document.")
    .action((_options: object, command: Command) => list(command))
    .addCommand(
      new Command("list")
        .summary("models, whether rules may ask them, and today's spending")
        .addHelpText("after", "\nPrices are US dollars per million tokens. With --json: one document.")
        .action((_options: object, command: Command) => list(command)),
    )
    .addCommand(
      new Command("set")
        .summary("add a model, or change the given fields of one")
        .argument("<name>", "name of the model in rules")
        .option("--model <id>", "name of the model at its provider")
        .addOption(new Option("--kind <kind>", "default of a new model: openai").choices(["openai", "workers-ai"]))
        .option("--endpoint <url>", "address of chat completions (openai)")
        .option("--key-file <file>", "file with the key; - is the standard input. The key is stored and never shown")
        .option("--price-in <usd>", "US dollars per million tokens of a question", amount(10_000))
        .option("--price-out <usd>", "US dollars per million tokens of an answer", amount(10_000))
        .option("--max-tokens <n>", "tokens of the longest answer", wholeNumber(16, 4_096))
        .addHelpText("after", "\nWith --json: one document with all settings after the change.")
        .action(set),
    )
    .addCommand(
      new Command("delete")
        .alias("remove")
        .summary("remove a model and its key")
        .argument("<name>")
        .action(async (name: string, _options: object, command: Command) => {
          await change(command, `${name} is removed`, (settings) => {
            const models = settings.models.filter((model) => model.name !== name);
            if (models.length === settings.models.length)
              throw new Failure(`No model "${name}". List models: \`ganglion models\``);
            return { ...settings, models };
          });
        }),
    )
    .addCommand(switchCommand("enable", true))
    .addCommand(switchCommand("disable", false))
    .addCommand(
      new Command("budget")
        .summary("set the budget of a day (UTC)")
        .option("--requests <n>", "questions", wholeNumber(0, 1_000_000))
        .option("--usd <amount>", "US dollars", amount(100_000))
        .addHelpText("after", "\nBeyond the budget each rule takes its fallback. With --json: one document.")
        .action(budget),
    );

const switchCommand = (name: string, enabled: boolean) =>
  new Command(name)
    .summary(enabled ? "let rules ask models" : "let no rule ask a model: each takes its fallback")
    .action(async (_options: object, command: Command) => {
      await change(command, `asking models is ${enabled ? "enabled" : "disabled"}`, (settings) => ({
        ...settings,
        enabled,
      }));
    });

async function list(command: Command): Promise<void> {
  const settings = await clientFor(command).models.settings();
  if (wantsJson(command)) return print(JSON.stringify(settings));
  await printTable(settings.models, columns, "no models");
  const { enabled, daily, spent } = settings;
  remark(
    `${enabled ? "enabled" : "disabled"}; today (${spent.day}) ${spent.requests} of ${daily.requests} questions and ` +
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
    remark("The stored key belonged to another address and was removed. Give a key with --key-file");
  }
}

function modelOf(
  name: string,
  options: SetOptions,
  before: ModelInput | undefined,
  key: string | undefined,
): ModelInput {
  const { kind = before?.kind ?? "openai", model = before?.model } = options;
  const url = options.endpoint ?? (before?.kind === "openai" ? before.url : undefined);
  if (model === undefined) throw new UsageError("A new model needs --model: its name at the provider");
  const fields = {
    name,
    model,
    ...pick("price_in", options.priceIn ?? before?.price_in),
    ...pick("price_out", options.priceOut ?? before?.price_out),
    ...pick("max_tokens", options.maxTokens ?? before?.max_tokens),
  };
  if (kind === "workers-ai") {
    if (options.endpoint !== undefined || key !== undefined)
      throw new UsageError("A model of workers-ai has no --endpoint and no --key-file: leave them out");
    return { kind, ...fields };
  }
  if (url === undefined)
    throw new UsageError("A new model needs --endpoint, such as https://api.openai.com/v1/chat/completions");
  return { kind, ...fields, url, ...pick("api_key", key) };
}

const pick = <Name extends string, Value>(name: Name, value: Value | undefined) =>
  (value === undefined ? {} : { [name]: value }) as { [Field in Name]?: Value };

async function budget({ requests, usd }: { requests?: number; usd?: number }, command: Command): Promise<void> {
  if (requests === undefined && usd === undefined) throw new UsageError("Give --requests, --usd, or both");
  await change(command, "the budget is set", (settings) => ({
    ...settings,
    daily: { requests: requests ?? settings.daily.requests, usd: usd ?? settings.daily.usd },
  }));
}

/** Attempts of a change while others change the settings in between. */
const MAX_ATTEMPTS = 5;

/** Reads the settings, changes them, sends them back, and prints the result. */
async function change(
  command: Command,
  done: string,
  edit: (settings: SettingsDraft, view: ModelSettingsView) => SettingsDraft,
): Promise<ModelSettingsView> {
  const { models } = clientFor(command);
  for (let attempt = 1; ; attempt++) {
    const view = await models.settings();
    try {
      const after = await models.replace({ ...edit(inputOf(view), view), version: view.version });
      await print(wantsJson(command) ? JSON.stringify(after) : done);
      if (!after.enabled && after.models.length > 0)
        remark("No model is asked yet. Enable asking: `ganglion models enable`");
      return after;
    } catch (error) {
      // Somebody else changed the settings since they were read: apply the change to theirs.
      if (attempt === MAX_ATTEMPTS || !(error instanceof ApiProblem && error.problem.status === 409)) throw error;
    }
  }
}
