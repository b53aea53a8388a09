import * as z from "zod";

/** A supervised agent as people and programs see it. Times are RFC 3339. */
export const AgentState = z.object({
  name: z.string(),
  state: z.enum(["stopped", "starting", "up", "stopping", "backing_off", "gave_up"]),
  /** What the process is doing; `dead` when there is no process. */
  verdict: z.enum(["working", "waiting", "idle", "hung", "dead"]),
  /** The process has sent no heartbeat: `working` and `idle` follow from its use of CPU. Older agents do not say so. */
  silent: z.boolean().optional(),
  /** The last command of a person; `on_demand` when there was none and the agent need not run. */
  desired: z.enum(["started", "stopped", "on_demand"]),
  pid: z.int().nullable(),
  started_at: z.string().nullable(),
  uptime_ms: z.number().nullable(),
  task: z.string().nullable(),
  /** 100 is one processor. */
  cpu_percent: z.number().nullable(),
  memory_mb: z.number().nullable(),
  restarts: z.int(),
  detail: z.string().nullable(),
  /** When a schedule starts it next. */
  next_wake_at: z.string().nullable(),
  /** A message starts it where it does not run and no person has stopped it. */
  wakes_on_mail: z.literal(true).optional(),
  log: z.string(),
});
export type AgentState = Readonly<z.infer<typeof AgentState>>;

/** The state in words. A process that sends no heartbeats may be at work without using CPU: it is never called idle. */
export function stateInWords({ state, verdict, silent }: Pick<AgentState, "state" | "verdict" | "silent">): string {
  if (state !== "up") return state;
  return silent === true && verdict === "idle" ? "running (silent)" : verdict;
}

/** Answer of the commands `supervisor.status`, `.start`, `.stop` and `.restart`. */
export const AgentStates = z.object({ agents: z.array(AgentState) });

/** Answer of the command `supervisor.logs`. */
export const AgentLog = z.object({
  path: z.string(),
  lines: z.array(z.string()),
  /** Whether more lines were wanted than an answer holds; the file has all. Older agents do not say so. */
  truncated: z.boolean().optional(),
  /** Of a log that is followed: where the next answer goes on. */
  next: z.string().optional(),
});
