import * as z from "zod";

/** Name by which rules know a model. */
export const ModelName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, {
  message: "a model's name starts with a letter or digit and holds a-z, 0-9 and . _ - (63 at most)",
});

/** US dollars for a million tokens; 0: free, or not counted. */
const Price = z.number().min(0).max(10_000);

const shared = {
  name: ModelName,
  /** What the provider calls it. */
  model: z.string().min(1).max(256),
  price_in: Price.default(0),
  price_out: Price.default(0),
  /** Longest answer, in tokens. */
  max_tokens: z.int().min(16).max(4_096).default(256),
};

/** A machine's own endpoint may be reached without TLS; anything else would send the key in the clear. */
const Endpoint = z
  .string()
  .max(2_048)
  .refine((text) => {
    const url = URL.parse(text);
    if (url === null || url.username !== "" || url.password !== "" || url.hash !== "") return false;
    return url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.has(url.hostname));
  }, "give the address of chat completions, such as https://api.openai.com/v1/chat/completions; https, but for this machine");
const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);

const OpenAiModel = z.strictObject({
  kind: z.literal("openai"),
  ...shared,
  /** Where the provider takes chat completions. */
  url: Endpoint,
  /** Kept and never shown. Left out: the one that is known for this name and address. */
  api_key: z
    .string()
    .regex(/^[\x21-\x7e]{1,512}$/, { message: "a key is one word of plain characters" })
    .optional(),
});
const WorkersAiModel = z.strictObject({ kind: z.literal("workers-ai"), ...shared });

/** What rules may ask, and how much of it a day (R32). Nothing is asked while `enabled` is false, as it is at first. */
export const ModelSettingsInput = z
  .strictObject({
    enabled: z.boolean().default(false),
    models: z
      .array(z.discriminatedUnion("kind", [OpenAiModel, WorkersAiModel]))
      .max(16)
      .default([]),
    /** Beyond it rules go on as if nobody had answered. A day is a day in UTC. */
    daily: z
      .strictObject({ requests: z.int().min(0).max(1_000_000), usd: z.number().min(0).max(100_000) })
      .default({ requests: 100, usd: 1 }),
    /** The version that is being changed: another one in force by then is a conflict. 0: nothing was set yet. */
    version: z.int().nonnegative().optional(),
  })
  .refine(({ models }) => new Set(models.map(({ name }) => name)).size === models.length, {
    path: ["models"],
    message: "two models have the same name",
  });
/** As a caller sends it. */
export type ModelSettingsInput = z.input<typeof ModelSettingsInput>;
/** What is to be set, checked. */
export type WantedModels = z.output<typeof ModelSettingsInput>;
/** With the keys. It never leaves the object that asks. */
export interface ModelSettings extends Omit<WantedModels, "version"> {
  /** Of these settings; 0: nothing was set yet. */
  readonly version: number;
}
export type Model = ModelSettings["models"][number];

export const NO_MODELS: ModelSettings = { ...ModelSettingsInput.parse({}), version: 0 };

/** Settings as anybody may read them. */
export interface ModelSettingsView {
  readonly enabled: boolean;
  readonly models: readonly (
    | (Omit<Extract<Model, { kind: "openai" }>, "api_key"> & { readonly has_key: boolean })
    | Extract<Model, { kind: "workers-ai" }>
  )[];
  readonly daily: { readonly requests: number; readonly usd: number };
  /** Goes up with each change; give it with one, and a change by somebody else in between is refused. */
  readonly version: number;
  /** Of this day, in UTC. */
  readonly spent: { readonly day: string; readonly requests: number; readonly usd: number };
}

/** What a change of the settings came to; `conflict`: the version that is in force instead. */
export type ModelSettingsAnswer =
  | { readonly ok: true; readonly settings: ModelSettingsView }
  | { readonly ok: false; readonly conflict: number };

/**
 * The next settings, with the keys that were known before. A key stays with the address that it was given for: who may
 * change the settings could otherwise have it sent to an address of their own.
 *
 * @returns `undefined` where another version is being changed than the one in force
 */
export function nextSettings(wanted: WantedModels, before: ModelSettings): ModelSettings | undefined {
  if (wanted.version !== undefined && wanted.version !== before.version) return undefined;
  const models = wanted.models.map((model) => {
    if (model.kind !== "openai" || model.api_key !== undefined) return model;
    const known = before.models.find(({ name }) => name === model.name);
    if (known?.kind !== "openai" || known.url !== model.url || known.api_key === undefined) return model;
    return { ...model, api_key: known.api_key };
  });
  return { ...wanted, models, version: before.version + 1 };
}

/** Settings that would leave everything as it is: what can be changed of what was read. */
export function inputOf({ enabled, models, daily, version }: ModelSettingsView): ModelSettings {
  return {
    enabled,
    models: models.map((model) => {
      if (model.kind !== "openai") return model;
      const { has_key: _, ...rest } = model;
      return rest;
    }),
    ...{ daily, version },
  };
}

export function viewOf(settings: ModelSettings, spent: ModelSettingsView["spent"]): ModelSettingsView {
  const models = settings.models.map((model) => {
    if (model.kind !== "openai") return model;
    const { api_key, ...rest } = model;
    return { ...rest, has_key: api_key !== undefined };
  });
  return { enabled: settings.enabled, models, daily: settings.daily, version: settings.version, spent };
}
