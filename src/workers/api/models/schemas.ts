import { z } from "@hono/zod-openapi";
import type { ModelSettingsView } from "../../../core/models/settings.ts";
import { describes } from "../http/schema-parts.ts";

const modelTerms = {
  name: z.string().openapi({ description: "By which rules know it" }),
  model: z.string().openapi({ description: "What the provider calls it" }),
  price_in: z.number().openapi({ description: "US dollars for a million tokens" }),
  price_out: z.number(),
  max_tokens: z.int().openapi({ description: "Of an answer" }),
};
export const ModelSettingsSchema = z
  .object({
    enabled: z.boolean(),
    models: z
      .array(
        z.union([
          z.object({ kind: z.literal("openai"), ...modelTerms, url: z.string(), has_key: z.boolean() }),
          z.object({ kind: z.literal("workers-ai"), ...modelTerms }),
        ]),
      )
      .readonly(),
    daily: z.object({ requests: z.int(), usd: z.number() }),
    version: z.int().openapi({ description: "Goes up with each change; 0: nothing was set yet" }),
    spent: z.object({ day: z.string(), requests: z.int(), usd: z.number() }).openapi({
      description: "Today, in UTC; what is under way is counted at its highest price",
    }),
  })
  .openapi("ModelSettings");

describes<ModelSettingsView>()(ModelSettingsSchema);
