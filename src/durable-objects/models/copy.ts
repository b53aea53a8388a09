import { NO_MODELS, readStoredSettings } from "../../core/models/settings.ts";
import { readableOr } from "../shell/readable-rows.ts";
import type { CopyRules } from "../shell/schema.ts";

/** Keys of models never leave the object, also not with secrets. */
export const withoutModelKeys: CopyRules = {
  without: (table, row) => {
    if (table !== "kept" || row.name !== "settings" || typeof row.body !== "string") return undefined;
    const settings = readableOr("settings of models", row.body, readStoredSettings, NO_MODELS);
    const models = settings.models.map((model) => {
      if (model.kind !== "openai") return model;
      const { api_key: _, ...rest } = model;
      return rest;
    });
    return { ...row, body: JSON.stringify({ ...settings, models }) };
  },
};
