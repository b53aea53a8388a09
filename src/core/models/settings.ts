import * as z from "zod";
import { isPrivateHost } from "../wire/network-address.ts";
import { parseUrl } from "../wire/parse-url.ts";

/** Name of a model in rules. */
export const ModelName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, {
  message: "a model's name starts with a letter or digit and holds a-z, 0-9 and . _ - (63 at most)",
});

/** US dollars per million tokens; 0: free, or not counted. */
const Price = z.number().min(0).max(10_000);

const shared = {
  name: ModelName,
  /** Name of the model at its provider. */
  model: z.string().min(1).max(256),
  price_in: Price.default(0),
  price_out: Price.default(0),
  /** The longest answer, in tokens. */
  max_tokens: z.int().min(16).max(4_096).default(256),
};

/** An endpoint on this machine may be reached without TLS; any other would receive the key unencrypted. */
const Endpoint = z
  .string()
  .max(2_048)
  .refine((text) => {
    const url = parseUrl(text);
    if (url === null || url.username !== "" || url.password !== "" || url.hash !== "") return false;
    return url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.has(url.hostname));
  }, "give the address of chat completions, such as https://api.openai.com/v1/chat/completions; http is allowed for this machine only");
/** Whether an endpoint is one of a private network or of this machine, which the edge must allow. */
export const isPrivateEndpoint = (url: string): boolean => isPrivateHost(new URL(url).hostname);

export const PRIVATE_ENDPOINT =
  "this address belongs to a private network; set WEBHOOKS_ALLOW_PRIVATE on the edge to allow it";

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);

const OpenAiModel = z.strictObject({
  kind: z.literal("openai"),
  ...shared,
  /** The provider's address of chat completions. */
  url: Endpoint,
  /** Stored and never shown. Left out: the stored key of this name and address stays. */
  api_key: z
    .string()
    .regex(/^[\x21-\x7e]{1,512}$/, { message: "a key is one word of printable ASCII characters (512 at most)" })
    .optional(),
});
const WorkersAiModel = z.strictObject({ kind: z.literal("workers-ai"), ...shared });

/** The models that rules may ask, and the daily budget. No model is asked while `enabled` is false, the default. */
export const ModelSettingsInput = z
  .strictObject({
    enabled: z.boolean().default(false),
    models: z
      .array(z.discriminatedUnion("kind", [OpenAiModel, WorkersAiModel]))
      .max(16)
      .default([]),
    /** Beyond this budget rules take their fallback. A day is a day in UTC. */
    daily: z
      .strictObject({ requests: z.int().min(0).max(1_000_000), usd: z.number().min(0).max(100_000) })
      .default({ requests: 100, usd: 1 }),
    /** The version that is being changed: if another one is in force, the change is refused. 0: nothing was set yet. */
    version: z.int().nonnegative().optional(),
  })
  .refine(({ models }) => new Set(models.map(({ name }) => name)).size === models.length, {
    path: ["models"],
    message: "two models have the same name",
  });
/** As a caller sends the settings. */
export type ModelSettingsInput = z.input<typeof ModelSettingsInput>;
/** New settings, checked. */
export type NewModelSettings = z.output<typeof ModelSettingsInput>;
/** The settings with the keys. They never leave the object that asks the models. */
export interface ModelSettings extends Omit<NewModelSettings, "version"> {
  /** 0: nothing was set yet. */
  readonly version: number;
}
export type Model = ModelSettings["models"][number];

export const NO_MODELS: ModelSettings = { ...ModelSettingsInput.parse({}), version: 0 };

/** @throws ZodError where the text is not that of stored settings */
export function readStoredSettings(text: string): ModelSettings {
  const { enabled, models, daily, version = 0 } = ModelSettingsInput.parse(JSON.parse(text));
  return { enabled, models, daily, version };
}

/**
 * The next settings, with the stored keys. A key stays with the address that it was given for: a caller who may change the
 * settings could otherwise have the key sent to an address of their own.
 *
 * @returns `undefined` where the change names another version than the one in force
 */
export function nextSettings(change: NewModelSettings, before: ModelSettings): ModelSettings | undefined {
  if (change.version !== undefined && change.version !== before.version) return undefined;
  const models = change.models.map((model) => {
    if (model.kind !== "openai" || model.api_key !== undefined) return model;
    const known = before.models.find(({ name }) => name === model.name);
    if (known?.kind !== "openai" || known.url !== model.url || known.api_key === undefined) return model;
    return { ...model, api_key: known.api_key };
  });
  return { ...change, models, version: before.version + 1 };
}
