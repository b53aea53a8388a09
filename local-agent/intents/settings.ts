import * as z from "zod";
import type { IntentRoute } from "../../src/core/intents/intent-map.ts";
import { INTENT_MAP } from "../../src/core/intents/intent-map.ts";
import { SIGNAL_NAME } from "../../src/core/signals/signal.ts";
import type { HostSettings } from "../feature/feature.ts";

const IntentPath = z
  .string()
  .regex(/^(id|type|data(\.[^.{}\s]+)*)$/, "give a path into the intent: id, type, or data.<name>");

const FactSettings = z.union(
  [
    z.string(),
    z.number(),
    z.boolean(),
    z.strictObject({
      from: z.union([IntentPath, z.array(IntentPath).min(1)]),
      otherwise: z.unknown().optional(),
      as: z.enum(["text", "texts", "json"]).default("json"),
      one_of: z.array(z.string()).min(1).optional(),
      optional: z.boolean().default(false),
    }),
  ],
  "give a string such as {data.version}, a number, true or false, or {from: data.version, otherwise: 1}",
);

const IntentType = z
  .string()
  .regex(/^[^\s]{1,128}$/, "give the type of an intent, in which * stands for any characters");

const RouteSettings = z.strictObject({
  types: z.union([IntentType, z.array(IntentType).min(1, "give at least one type")]),
  signal: z.string().regex(SIGNAL_NAME, "give the name of a signal, such as Q_DEPLOY_REQUESTED"),
  facts: z.record(z.string(), FactSettings).default({}),
  /** Whether the other fields of `data` become facts too. */
  data: z.boolean().default(true),
});

export const IntentsSettings = z.strictObject({
  enabled: z.boolean("give true or false").default(true),
  directory: z.string().min(1, "give a path").optional(),
  /** `observe`: another program takes the files away, so each is routed and left where it is. */
  mode: z.enum(["take", "observe"], "give take or observe").default("take"),
  /** Tried in order, before the built-in routes. */
  map: z.array(RouteSettings).max(1_000).default([]),
  default_map: z.boolean("give true or false").default(true),
});
export type IntentsSettings = z.output<typeof IntentsSettings>;

/** @returns the routes of the settings, in the form that `mapIntent` takes */
export function intentRoutes({ map, default_map }: Pick<IntentsSettings, "map" | "default_map">): IntentRoute[] {
  const own = map.map(
    ({ types, signal, facts, data }): IntentRoute => ({
      types: typeof types === "string" ? [types] : types,
      signal,
      ...(data ? {} : { data: false }),
      facts: Object.fromEntries(
        Object.entries(facts).map(([name, source]) => {
          if (typeof source === "string") return [name, { from: [], template: source }];
          if (typeof source !== "object") return [name, { from: [], otherwise: source, as: "json" }];
          const { from, one_of, ...more } = source;
          return [name, { ...more, from: typeof from === "string" ? [from] : from, ...(one_of && { oneOf: one_of }) }];
        }),
      ),
    }),
  );
  return default_map ? [...own, ...INTENT_MAP] : own;
}

export interface IntentsFeatureOptions extends HostSettings {
  readonly intentsDir: string;
  /** Default: `take`. */
  readonly intentMode?: IntentsSettings["mode"] | undefined;
  /** Default: the built-in routes. */
  readonly intentMap?: readonly IntentRoute[];
  /** Intervals that only tests set, in milliseconds. */
  readonly intents?: { readonly rescanMs?: number; readonly settleMs?: number };
}
