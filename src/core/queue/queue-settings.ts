import * as z from "zod";
import { Recipient } from "./task-input.ts";

const Duration = (max: number) => z.int().min(1).max(max);
const DAY_MS = 86_400_000;

/** Characters of a fallback as JSON. */
const MAX_FALLBACK_CHARS = 16_384;

/** An answer that stands for one of a responder: it says where it comes from, and that it is worth less. */
const CallFallback = z
  .strictObject({
    result: z.unknown(),
    source: z.string().min(1).max(128),
    confidence: z.number().min(0).lt(1),
  })
  .refine((fallback) => JSON.stringify(fallback).length <= MAX_FALLBACK_CHARS, {
    message: `a fallback may take ${MAX_FALLBACK_CHARS} characters as JSON: name where the data is instead`,
  });

export type CallFallback = z.infer<typeof CallFallback>;

/** The settings of a queue. */
export const QueueSettings = z.strictObject({
  /** Most unfinished tasks that the queue holds. */
  capacity: z.int().min(1).max(250_000),
  /** A task that comes when the queue is full is refused, or the oldest task is dropped for it. */
  overflow: z.enum(["refuse", "drop_oldest"]),
  /** Attempts of a task that does not say how many. */
  max_attempts: z.int().min(1).max(100),
  /** Delay before the second attempt. The delay doubles with each attempt, up to `backoff_max_ms`. */
  backoff_ms: Duration(DAY_MS),
  backoff_max_ms: Duration(DAY_MS),
  /** A waiting task gains one step of priority each time this passes; `null`: never. */
  ageing_ms: Duration(DAY_MS).nullable(),
  /** Whether the end of a task becomes a signal, `Q_TASK_COMPLETE` or `Q_TASK_FAILED`. */
  signal_complete: z.boolean(),
  signal_failed: z.boolean(),
  /** As many finished tasks are kept at least, also when they ended more than a day ago. */
  keep_finished: z.int().min(0).max(100_000),
  /** Recipient that is told of tasks that run long, by a task of the type `LONG_TASKS`; `null`: nobody. */
  notify_long_to: Recipient.nullable(),
  /** Tasks that have run for longer are told, and how often. */
  notify_long_ms: Duration(DAY_MS),
  notify_long_every_ms: z.int().min(1_000).max(DAY_MS),
  /** Thresholds of the alerts; `null` switches an alert off. */
  alert_task_ms: Duration(DAY_MS).nullable(),
  alert_p95_ms: Duration(DAY_MS).nullable(),
  alert_failed: z.int().min(0).max(1_000_000).nullable(),
  alert_failed_window_ms: z.int().min(60_000).max(DAY_MS),
  alert_depth: z.int().min(1).max(250_000).nullable(),
  /** Calls of a recipient in a row whose failure opens its breaker; `null`: any number of them. */
  breaker_failures: z.int().min(1).max(1_000).nullable(),
  /** Share of the latest `breaker_calls` calls of a minute whose failure opens the breaker; `null`: any share. */
  breaker_rate: z.number().gt(0).max(1).nullable(),
  breaker_calls: z.int().min(2).max(100),
  /** How long a breaker stays open before a call is let through to try; doubled after each that fails. */
  breaker_open_ms: Duration(DAY_MS),
  breaker_open_max_ms: Duration(DAY_MS),
  /** What calls are answered for as long as the breaker is open, instead of a problem. */
  breaker_fallback: CallFallback.nullable(),
});
export type QueueSettings = z.infer<typeof QueueSettings>;

/** A queue that was created, or existed. */
export const CreatedQueue = z.object({
  name: z.string().meta({ description: "Name of the queue" }),
  created: z.boolean().meta({ description: "Whether the queue was made by this call" }),
  settings: QueueSettings,
});

/** A change of some settings. A setting that is not named stays as it is. */
export const QueueSettingsChange = QueueSettings.partial();
export type QueueSettingsChange = z.infer<typeof QueueSettingsChange>;

export const DEFAULT_SETTINGS: QueueSettings = {
  capacity: 100_000,
  overflow: "refuse",
  max_attempts: 5,
  backoff_ms: 1_000,
  backoff_max_ms: 300_000,
  ageing_ms: null,
  signal_complete: false,
  signal_failed: false,
  keep_finished: 10_000,
  notify_long_to: null,
  notify_long_ms: 30_000,
  notify_long_every_ms: 300_000,
  alert_task_ms: 60_000,
  alert_p95_ms: 30_000,
  alert_failed: 5,
  alert_failed_window_ms: 3_600_000,
  alert_depth: 100,
  breaker_failures: null,
  breaker_rate: null,
  breaker_calls: 20,
  breaker_open_ms: 10_000,
  breaker_open_max_ms: 60_000,
  breaker_fallback: null,
};

/** As {@link DEFAULT_SETTINGS}, with breakers: for queues whose callers go on without an answer. */
export const SETTINGS_WITH_BREAKERS: QueueSettings = {
  ...DEFAULT_SETTINGS,
  breaker_failures: 5,
  breaker_rate: 0.5,
};

export function changeSettings(settings: QueueSettings, change: QueueSettingsChange): QueueSettings {
  return QueueSettings.parse({ ...settings, ...change });
}

/** Reads stored settings. Those written before a setting existed get its default. */
export function readSettings(text: string, defaults = DEFAULT_SETTINGS): QueueSettings {
  return QueueSettings.parse({ ...defaults, ...QueueSettingsChange.parse(JSON.parse(text)) });
}
