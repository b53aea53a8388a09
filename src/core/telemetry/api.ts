import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";
import { originOf } from "../webhooks/endpoint.ts";
import type { ExportSettings } from "./settings.ts";
import { PAYLOADS, PRESETS } from "./span.ts";

const Count = z.int().nonnegative();

/** How an export goes. */
export const ExportHealth = z.object({
  exported: Count.meta({ description: "Spans that the receiver has taken, since the export was set" }),
  rejected: Count.meta({ description: "Spans of these that the receiver said it rejects (`partialSuccess`)" }),
  dropped: Count.meta({
    description: "Spans that were given up: too many waited, or the receiver refused their request",
  }),
  waiting: Count.meta({ description: "Spans that wait to be sent" }),
  last_success_at: Timestamp.optional().meta({ description: "When the receiver last took a request" }),
  failing_since: Timestamp.optional().meta({ description: "Absent: the last request was taken" }),
  last_error: z.string().optional(),
  retry_at: Timestamp.optional().meta({
    description: "Nothing is sent before; absent: nothing waits for a receiver that failed",
  }),
});
export type ExportHealth = Readonly<z.output<typeof ExportHealth>>;

/** The export of an ecosystem as it is shown: without what is secret. */
export const Export = z.object({
  enabled: z.boolean(),
  endpoint: z.string().optional().meta({ description: "Where requests go; only administrators see the path" }),
  header_names: z.array(z.string()).readonly().optional().meta({ description: "Their values are never shown" }),
  payload: z.enum(PAYLOADS).optional(),
  preset: z.enum(PRESETS).nullable().optional().meta({ description: "A receiver that is known; null: any" }),
  interval_ms: z.int().optional().meta({ description: "How often what has ended is sent" }),
  reactions: z.array(z.string()).readonly().optional().meta({
    description: "Further signals by which reactions tell their end",
  }),
  health: ExportHealth.optional(),
});
export type Export = Readonly<z.output<typeof Export>>;

export const NO_EXPORT: Export = { enabled: false };

/** The result of sending one span. */
export const ExportTest = z.object({
  delivered: z.boolean(),
  status: z.int().optional().meta({ description: "HTTP status of the response, where there was one" }),
  answer: z.string().optional().meta({ description: "What the receiver answered, without the headers' secrets" }),
  error: z.string().optional(),
  trace_id: z.string().meta({ description: "The trace by which the span is found at the receiver" }),
  duration_ms: z.number(),
});
export type ExportTest = Readonly<z.output<typeof ExportTest>>;

export function viewOf(settings: ExportSettings, health: ExportHealth): Export {
  const { url, headers, payload, preset, interval_ms, reactions } = settings;
  const header_names = Object.keys(headers).sort();
  return { enabled: true, endpoint: url, header_names, payload, preset, interval_ms, reactions, health };
}

/** As others than administrators see it: a path may be a secret. */
export const withoutPath = (shown: Export): Export =>
  shown.endpoint === undefined ? shown : { ...shown, endpoint: originOf(shown.endpoint) };
