import * as z from "zod";
import { formatTimestamp, parseTimestamp, Timestamp } from "../signals/timestamp.ts";
import { AgentView } from "./api.ts";

/** Supervised processes of one host in an answer; an agent supervises 256 at most. */
const MAX_PROCESSES = 256;

const { host, state, since, reason, last_seen, version, alerts } = AgentView.shape;

/** A process that a host supervises, as the host reported it last. */
export const FleetProcess = z.object({
  name: z.string().meta({ description: "Name of the supervised agent" }),
  state: z.string().meta({ description: "stopped, starting, up, stopping, backing_off or gave_up", example: "up" }),
  verdict: z.string().meta({ description: "working, waiting, idle, hung or dead", example: "working" }),
  task: z.string().nullable().meta({ description: "What it works on, in its own words" }),
  waiting_for: z
    .string()
    .nullable()
    .meta({ description: "What it waits for, in its own words; null: it does not wait" }),
  since: Timestamp.nullable().meta({ description: "When its process was started; null: it has none" }),
  restarts: z.int().meta({ description: "How often it was restarted" }),
  detail: z.string().nullable().meta({ description: "Why it is in this state" }),
});
export type FleetProcess = Readonly<z.infer<typeof FleetProcess>>;

/** A host and what it supervises, without the figures of its sources. */
export const FleetHost = z.object({
  host,
  state: state.meta({ description: "Whether the host is up or down" }),
  since,
  reason: reason.meta({ description: "Why the host is in this state" }),
  last_seen: last_seen.meta({ description: "When the edge last received anything from the host" }),
  version,
  alerts,
  processes: z
    .array(FleetProcess)
    .readonly()
    .meta({ description: "What the host supervises, as it reported last: of a host that is down, before it went" }),
});
export type FleetHost = Readonly<z.infer<typeof FleetHost>>;

/** A page of hosts, by name. */
export interface FleetPage {
  readonly hosts: readonly FleetHost[];
  /** Hosts in all. */
  readonly total: number;
}

export function fleetHost({ host, state, since, reason, last_seen, version, alerts, runs }: AgentView): FleetHost {
  return { host, state, since, reason, last_seen, version, alerts, processes: processesOf(runs) };
}

/** What a host says belongs to the host: anything but the expected form is left out. */
function processesOf(runs: AgentView["runs"]): FleetProcess[] {
  const listed: unknown = runs?.agents;
  if (!Array.isArray(listed)) return [];
  return listed.slice(0, MAX_PROCESSES).flatMap((one: unknown) => processOf(one) ?? []);
}

function processOf(one: unknown): FleetProcess | undefined {
  if (typeof one !== "object" || one === null) return undefined;
  const { name, state, verdict, task, started_at, restarts, detail } = one as Readonly<Record<string, unknown>>;
  if (typeof name !== "string" || typeof state !== "string") return undefined;
  const judged = typeof verdict === "string" ? verdict : "dead";
  const doing = textOrNull(task);
  const startedMs = parseTimestamp(started_at);
  return {
    name,
    state,
    verdict: judged,
    task: doing,
    waiting_for: judged === "waiting" ? (doing ?? "another system") : null,
    since: startedMs === undefined ? null : formatTimestamp(startedMs),
    restarts: typeof restarts === "number" && Number.isSafeInteger(restarts) ? restarts : 0,
    detail: textOrNull(detail),
  };
}

const textOrNull = (value: unknown): string | null => (typeof value === "string" ? value.slice(0, 1_000) : null);
