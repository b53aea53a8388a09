import * as z from "zod";

/** Hysteresis: an alert begins above one value and ends below another. Between them nothing changes. */
const Band = z
  .strictObject({ raise_above: z.number(), resolve_below: z.number() })
  .refine(({ raise_above, resolve_below }) => resolve_below <= raise_above, {
    path: ["resolve_below"],
    message: "give a value that is not above raise_above, or the alert would flap",
  });
export type Band = z.infer<typeof Band>;

/** Limits of each kind of reading, in its unit; `null`: no alerts. */
const HealthLimits = z.strictObject({
  /** Percent of a file system in use. */
  disk: Band.nullable().default({ raise_above: 90, resolve_below: 85 }),
  /** Percent of the memory that is neither free nor can be reclaimed at once. */
  memory: Band.nullable().default({ raise_above: 90, resolve_below: 85 }),
  /** Load average over five minutes, per processor. */
  load: Band.nullable().default({ raise_above: 2, resolve_below: 1.5 }),
  /** Degrees Celsius. */
  gpu_temperature: Band.nullable().default({ raise_above: 87, resolve_below: 80 }),
  /** 1 while nothing listens at the bus of the host, else 0. */
  bus_down: Band.nullable().default({ raise_above: 0.5, resolve_below: 0.5 }),
  /** Percent of the spool limit that waits to be sent. */
  spool: Band.nullable().default({ raise_above: 80, resolve_below: 60 }),
});
export type HealthLimits = z.infer<typeof HealthLimits>;
export type HealthKind = keyof HealthLimits;

/** How an ecosystem monitors its hosts. An absent field has its default. */
export const MonitorSettings = z.strictObject({
  /** A host whose link returns within this time stays up. Agents reconnect after 15 s at most. */
  agent_grace_seconds: z.number().min(0).max(3_600).default(20),
  /** Number of rounds (minutes) in a row without an answer after which a linked host is down. */
  agent_silent_after: z.int().min(1).max(60).default(3),
  /** Time limit for the answer of a host. */
  answer_within_seconds: z.number().min(0.1).max(25).default(5),
  /** Readings in a row beyond the limit before an alert begins or ends. */
  health_readings: z.int().min(1).max(60).default(2),
  /** Waiting promotions are reported again after this time; `null`: only when more arrive. */
  promotions_remind_hours: z.number().positive().max(8_760).nullable().default(24),
  health: HealthLimits.prefault({}),
});
export type MonitorSettings = z.infer<typeof MonitorSettings>;

export const DEFAULT_MONITOR_SETTINGS: MonitorSettings = MonitorSettings.parse({});
