import * as z from "zod";

const Duration = (max: number) => z.int().min(1).max(max);
const DAY_MS = 86_400_000;

/** What can be set for each queue. Every field has a default. */
export const QueueSettings = z.strictObject({
  /** Unfinished tasks that the queue holds at most. */
  capacity: z.int().min(1).max(250_000).default(100_000),
  /** What happens to a task that comes when the queue is full (R41). */
  overflow: z.enum(["refuse", "drop_oldest"]).default("refuse"),
  /** Attempts of a task that does not say how many. */
  max_attempts: z.int().min(1).max(100).default(5),
  /** Pause before the second attempt; it doubles each time. */
  backoff_ms: Duration(DAY_MS).default(1_000),
  backoff_max_ms: Duration(DAY_MS).default(300_000),
  /** A waiting task gains one step of priority each time this passes; `null`: never. */
  ageing_ms: Duration(DAY_MS).nullable().default(null),
  /** Whether the end of a task becomes a signal, `Q_TASK_COMPLETE` or `Q_TASK_FAILED`. */
  signal_complete: z.boolean().default(false),
  signal_failed: z.boolean().default(false),
  /** Thresholds of the alerts (R43); `null` switches a rule off. */
  alert_task_ms: Duration(DAY_MS).nullable().default(60_000),
  alert_p95_ms: Duration(DAY_MS).nullable().default(30_000),
  alert_failed: z.int().min(0).max(1_000_000).nullable().default(5),
  alert_failed_window_ms: z.int().min(60_000).max(DAY_MS).default(3_600_000),
  alert_depth: z.int().min(1).max(250_000).nullable().default(100),
});
export type QueueSettings = z.infer<typeof QueueSettings>;

/** A change of some settings; the others stay. */
export type QueueSettingsChange = { readonly [Name in keyof QueueSettings]?: QueueSettings[Name] | undefined };

const changeShape: Record<string, z.ZodType> = {};
// Without the defaults: what is not named stays as it is, and does not go back to where it began.
for (const [name, field] of Object.entries(QueueSettings.shape)) changeShape[name] = field.unwrap().optional();
export const QueueSettingsChange = z.strictObject(changeShape) as unknown as z.ZodType<QueueSettingsChange>;

export const DEFAULT_SETTINGS: QueueSettings = QueueSettings.parse({});

/** The settings after a change. */
export function changeSettings(settings: QueueSettings, change: QueueSettingsChange): QueueSettings {
  return QueueSettings.parse({ ...settings, ...change });
}
