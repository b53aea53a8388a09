import * as z from "zod";
import { SIGNAL_NAME } from "../../src/core/signals/signal.ts";
import { DEFAULT_RULES, type ProcessRules } from "../../src/core/supervisor/process-rules.ts";
import type { HostSettings } from "../feature/feature.ts";
import { scheduleProblem } from "./schedule-times.ts";

const seconds = (from: number, to: number) => {
  const message = `give seconds, from ${from} to ${to}`;
  return z.number(message).min(from, message).max(to, message);
};
const DAY = 86_400;

const Schedule = z
  .strictObject({
    /** Five fields, or six with seconds first: `0 9 * * 1` is nine o'clock on Mondays. */
    cron: z.string(),
    /** IANA name; default: the machine's own. */
    time_zone: z.string().optional(),
    /** Written to the agent's standard input as a line of JSON. */
    message: z.unknown().optional(),
    /** Emitted besides. */
    emit: z
      .strictObject({
        signal: z.string().regex(SIGNAL_NAME, "give the name of a signal, such as Q_REPORT_DUE"),
        facts: z.record(z.string(), z.unknown()).default({}),
      })
      .optional(),
    /** `false`: only `emit` or `message`, and one that is not running stays so. */
    start: z.boolean("give true or false").default(true),
  })
  .superRefine(({ cron, time_zone }, context) => {
    const problem = scheduleProblem(cron, time_zone);
    if (problem !== undefined) context.addIssue({ code: "custom", path: [problem.of], message: problem.message });
  });

const AgentDefinition = z.strictObject({
  /** The program and its arguments; no shell stands between. */
  command: z
    .array(z.string(), "give a list: the program and its arguments")
    .min(1, "give the program at least")
    .transform((words) => words as [string, ...string[]]),
  /** Default: where the agent works; a relative one is meant from the configuration file. */
  directory: z.string().min(1, "give a path").optional(),
  /** Over the agent's own environment; `null` takes a variable away. */
  environment: z.record(z.string(), z.union([z.string(), z.null()], "put the value into quotes")).default({}),
  /** What stands in `GANGLION_TOKEN`: `own` is the host agent's. Default `none`. */
  token: z.enum(["own", "none"], "give own or none").default("none"),
  /** A file with a token of its own instead. */
  token_file: z.string().min(1, "give a path").optional(),
  /** Start it when the host agent starts; default: yes, unless it has schedules. */
  autostart: z.boolean("give true or false").optional(),
  /** When to restart after an end without a request; default: `always`, and `on_failure` with schedules. */
  restart: z.enum(["always", "on_failure", "never"], "give always, on_failure or never").optional(),
  /** In a row, before the supervisor gives up. */
  max_restarts: z.int("give a whole number").min(0, "give 0 or more").max(1_000).default(DEFAULT_RULES.maxRestarts),
  /** After this long a failure counts as the first one again. */
  stable_seconds: seconds(1, DAY).default(DEFAULT_RULES.stableMs / 1000),
  /** From SIGTERM to SIGKILL. */
  stop_seconds: seconds(0.1, 3_600).default(DEFAULT_RULES.stopMs / 1000),
  /** `process`: SIGTERM goes to the program alone, and to the rest of its group when it has ended. `group`: to all at once. */
  stop_signal_to: z.enum(["process", "group"], "give process or group").default("process"),
  /** Longest silence. An agent that never sends a heartbeat is not held to it, unless this is given. */
  heartbeat_seconds: seconds(0.5, DAY).optional(),
  /** Asks it for a heartbeat by a line of JSON on its standard input; one that does not answer in time is hung. */
  heartbeat_request: z
    .strictObject({ every_seconds: seconds(0.5, DAY).default(30), answer_seconds: seconds(0.1, 3_600).default(5) })
    .optional(),
  /** Longest time at work without progress, for an agent that reports progress. */
  progress_seconds: seconds(0.5, DAY).default(DEFAULT_RULES.progressMs / 1000),
  memory_mb: z.number("give megabytes").min(1, "give megabytes, 1 or more").optional(),
  /** 100 is one processor. */
  cpu_percent: z.number("give percent of a processor").min(1, "give percent of a processor, 1 or more").optional(),
  /** How long a limit may be exceeded. */
  limit_seconds: seconds(0, DAY).default(DEFAULT_RULES.limitMs / 1000),
  log: z
    .strictObject({
      max_mb: z.number("give megabytes").min(0.01, "give megabytes, 0.01 or more").default(10),
      keep: z.int("give a whole number").min(1, "give 1 or more").max(100, "give 100 or less").default(5),
    })
    .prefault({}),
  /** Start it when a message for it comes to the edge, unless a person has stopped it. */
  wake_on_mail: z.boolean("give true or false").default(false),
  schedules: z.array(Schedule, "give a list of schedules").default([]),
});
export type AgentDefinition = z.output<typeof AgentDefinition>;

const AGENT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** The section `agents`: what runs as a child of the host agent, by name. */
export const AgentsSettings = z
  .record(
    z.string().regex(AGENT_NAME, "name it with letters, digits and . _ - (63 at most), a letter or digit first"),
    AgentDefinition,
    "give agents by name",
  )
  .refine((agents) => Object.keys(agents).length <= 256, "256 agents at most");
export type AgentsSettings = z.output<typeof AgentsSettings>;

const MIB = 1024 * 1024;

export function rulesOf(definition: AgentDefinition): ProcessRules {
  const { schedules, restart, memory_mb, cpu_percent } = definition;
  const silence = silenceOf(definition);
  return {
    restart: restart ?? (schedules.length > 0 ? "on_failure" : "always"),
    maxRestarts: definition.max_restarts,
    stableMs: definition.stable_seconds * 1000,
    stopMs: definition.stop_seconds * 1000,
    heartbeatMs: silence === undefined ? DEFAULT_RULES.heartbeatMs : silence * 1000,
    heartbeatExpected: silence !== undefined,
    progressMs: definition.progress_seconds * 1000,
    memoryBytes: memory_mb === undefined ? null : memory_mb * MIB,
    cpuPercent: cpu_percent ?? null,
    limitMs: definition.limit_seconds * 1000,
  };
}

/**
 * The longest silence, in seconds; `undefined`: nothing is expected. An agent that is asked answers each request, so that its
 * last heartbeat is never older than the pause between two requests and the time for an answer.
 */
function silenceOf({ heartbeat_seconds, heartbeat_request: request }: AgentDefinition): number | undefined {
  const answered = request === undefined ? undefined : request.every_seconds + request.answer_seconds;
  return answered === undefined ? heartbeat_seconds : Math.min(answered, heartbeat_seconds ?? answered);
}

export function startsByItself({ autostart, schedules }: AgentDefinition): boolean {
  return autostart ?? schedules.length === 0;
}

export interface SupervisorFeatureOptions extends HostSettings {
  readonly agents?: AgentsSettings | undefined;
  /** Interval that only tests set, in milliseconds. */
  readonly supervisor?: { readonly sampleMs?: number };
}
