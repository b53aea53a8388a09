import * as z from "zod";
import { Spending } from "./budget.ts";
import type { ModelSettings } from "./settings.ts";

const modelFields = {
  name: z.string().meta({ description: "Name of the model in rules" }),
  model: z.string().meta({ description: "Name of the model at its provider" }),
  price_in: z.number().meta({ description: "US dollars per million tokens" }),
  price_out: z.number(),
  max_tokens: z.int().meta({ description: "The longest answer" }),
};
const ModelView = z.union([
  z.object({ kind: z.literal("openai"), ...modelFields, url: z.string(), has_key: z.boolean() }),
  z.object({ kind: z.literal("workers-ai"), ...modelFields }),
]);

/** The settings as they are shown: without keys. */
export const ModelSettingsView = z.object({
  enabled: z.boolean(),
  models: z.array(ModelView).readonly(),
  daily: z.object({ requests: z.int(), usd: z.number() }),
  version: z.int().meta({ description: "Increases with each change; 0: nothing was set yet" }),
  spent: Spending.meta({ description: "Today, in UTC; a question under way counts with its highest possible cost" }),
});
export type ModelSettingsView = Readonly<z.infer<typeof ModelSettingsView>>;

/** The answer to a change of the settings; `conflict`: the version in force, which the change did not name. */
export type ModelSettingsAnswer =
  | { readonly ok: true; readonly settings: ModelSettingsView }
  | { readonly ok: false; readonly conflict: number };

/** The part of the shown settings that can be changed. Sending it back unchanged changes nothing. */
export function inputOf({ enabled, models, daily, version }: ModelSettingsView): ModelSettings {
  return {
    enabled,
    models: models.map((model) => {
      if (model.kind !== "openai") return model;
      const { has_key: _, ...rest } = model;
      return rest;
    }),
    daily,
    version,
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
