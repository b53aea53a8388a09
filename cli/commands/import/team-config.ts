import * as z from "zod";

/** A number as older settings write one: `"30"` and `30`. */
const Amount = z.coerce.number().nonnegative();
const Agent = z.looseObject({
  enabled: z.boolean().optional(),
  auto_approve: z.boolean().optional(),
  sleep_interval: Amount.optional(),
  github_poll_interval: Amount.optional(),
  review_schedule: z.string().optional(),
});
const Section = z.record(z.string(), z.unknown());
/** `team_daemon.yaml`. */
const TeamDaemon = z.looseObject({
  team: z.looseObject({ agents: z.record(z.string(), Agent.nullable()) }),
  message_queue: Section.nullish(),
  health_check: z.looseObject({ interval: Amount.optional(), timeout: Amount.optional() }).nullish(),
  resource_limits: z.looseObject({ max_memory_mb: Amount.optional(), max_cpu_percent: Amount.optional() }).nullish(),
  observability: Section.nullish(),
  bottleneck_alerts: Section.nullish(),
});

export interface TeamImport {
  /** Section of the agent's file of settings. */
  readonly settings: { readonly agents: Readonly<Record<string, unknown>> };
  /** Settings of the team's queue. */
  readonly queue: Readonly<Record<string, number>>;
  /** What has no equivalent, or needs a person, by its path in the file. */
  readonly notes: readonly { readonly path: string; readonly note: string }[];
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/**
 * The settings that a file of the older team daemon stands for.
 *
 * @param command - of an agent, in which `{name}` is its name
 * @throws Error that names each wrong field
 */
export function importTeamConfig(document: unknown, command: readonly string[]): TeamImport {
  const read = TeamDaemon.safeParse(document);
  if (!read.success) throw new Error(`the file is no configuration of a team daemon: ${z.prettifyError(read.error)}`);
  const { team, message_queue, health_check, resource_limits, observability, bottleneck_alerts, ...others } = read.data;
  const notes: { path: string; note: string }[] = [];
  const note = (path: string, text: string) => void notes.push({ path, note: text });
  const limits = {
    ...(resource_limits?.max_memory_mb && { memory_mb: resource_limits.max_memory_mb }),
    ...(resource_limits?.max_cpu_percent && { cpu_percent: resource_limits.max_cpu_percent }),
  };
  const silence = (health_check?.interval ?? 0) + (health_check?.timeout ?? 0);
  if (silence > 0)
    note(
      "health_check",
      `an agent is hung after ${silence} s without a heartbeat (heartbeat_seconds), from its first heartbeat on`,
    );
  const agents: Record<string, unknown> = {};
  for (const [name, agent] of Object.entries(team.agents)) {
    const path = `team.agents.${name}`;
    if (!NAME.test(name)) {
      note(path, "not imported: name it with letters, digits and . _ - (63 at most)");
      continue;
    }
    agents[name] = {
      command: command.map((word) => word.replaceAll("{name}", name)),
      ...limits,
      ...(silence > 0 && { heartbeat_seconds: Math.max(0.5, silence) }),
      ...ofAgent(agent ?? {}, path, note),
    };
  }
  for (const key of Object.keys(team).filter((key) => key !== "agents")) note(`team.${key}`, NONE);
  for (const key of Object.keys(message_queue ?? {})) note(`message_queue.${key}`, QUEUE_NOTES[key] ?? NONE);
  for (const key of Object.keys(observability ?? {}))
    note(`observability.${key}`, key === "langfuse" ? LANGFUSE : NONE);
  for (const key of Object.keys(others)) note(key, NONE);
  return { settings: { agents }, queue: alertsOf(bottleneck_alerts ?? {}, note), notes };
}

const NONE = "has no equivalent";
const LANGFUSE = "is set at the edge: ganglion export set --langfuse --keys-file <file> (--interval, default 60s)";
const QUEUE_NOTES: Readonly<Record<string, string>> = {
  backend: "has no equivalent: every queue is durable",
  max_slowest_tasks: "has no equivalent: the 100 slowest of a day are kept",
  max_completed_tasks: "has no equivalent: finished tasks are kept for a day",
};

type Note = (path: string, text: string) => void;

function ofAgent(agent: z.infer<typeof Agent>, path: string, note: Note): Record<string, unknown> {
  const { enabled, auto_approve, sleep_interval, github_poll_interval, review_schedule, ...more } = agent;
  const environment: Record<string, string> = {};
  const passOn = (field: string, value: unknown) => {
    if (value === undefined) return;
    environment[field.toUpperCase()] = String(value);
    note(`${path}.${field}`, `is the program's own matter: it gets ${field.toUpperCase()} in its environment`);
  };
  passOn("auto_approve", auto_approve);
  passOn("sleep_interval", sleep_interval);
  passOn("github_poll_interval", github_poll_interval);
  for (const [field, value] of Object.entries(more))
    if (typeof value !== "object" && /^[a-z][a-z0-9_]*$/i.test(field)) passOn(field, value);
    else note(`${path}.${field}`, NONE);
  return {
    ...(enabled !== undefined && { autostart: enabled }),
    ...(Object.keys(environment).length > 0 && { environment }),
    // The program runs all the time and is woken; with a schedule alone it would be started at each time.
    ...(review_schedule !== undefined && {
      autostart: enabled ?? true,
      schedules: [{ cron: review_schedule, message: { review_schedule } }],
    }),
  };
}

/** Settings of the queue by what the names of older thresholds hold. A name with `seconds` is in seconds. */
const ALERTS: readonly (readonly [pattern: RegExp, setting: string, isTime: boolean])[] = [
  [/p95/, "alert_p95_ms", true],
  [/depth|queue_size/, "alert_depth", false],
  [/fail.*window|window.*fail/, "alert_failed_window_ms", true],
  [/fail/, "alert_failed", false],
  [/slow|task|duration/, "alert_task_ms", true],
];

function alertsOf(thresholds: Readonly<Record<string, unknown>>, note: Note): Record<string, number> {
  const queue: Record<string, number> = {};
  for (const [name, value] of Object.entries(thresholds)) {
    const found = ALERTS.find(([pattern]) => pattern.test(name));
    const number = typeof value === "boolean" ? Number.NaN : Number(value);
    if (found === undefined || !(number > 0)) {
      note(`bottleneck_alerts.${name}`, NONE);
      continue;
    }
    const [, setting, isTime] = found;
    queue[setting] = Math.round(isTime && /_s$|seconds?$/.test(name) ? number * 1_000 : number);
  }
  return queue;
}
