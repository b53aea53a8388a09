import { formatTimestamp, parseTimestamp } from "../signals/timestamp.ts";
import type { AgentView } from "./api.ts";
import type { FleetHost, FleetProcess } from "./fleet.ts";

/** Supervised processes of one host in an answer; an agent supervises 256 at most. */
const MAX_PROCESSES = 256;

/** A host and what it supervises, as the host reported it last. */
export function fleetHost({ host, state, since, reason, last_seen, version, alerts, runs }: AgentView): FleetHost {
  return { host, state, since, reason, last_seen, version, alerts, processes: processesOf(runs) };
}

/** What a host says belongs to the host: anything but the expected form is left out. */
export function processesOf(runs: AgentView["runs"]): FleetProcess[] {
  const listed: unknown = runs?.agents;
  if (!Array.isArray(listed)) return [];
  return listed.slice(0, MAX_PROCESSES).flatMap((one: unknown) => processOf(one) ?? []);
}

function processOf(one: unknown): FleetProcess | undefined {
  if (typeof one !== "object" || one === null) return undefined;
  const { name, state, verdict, task, started_at, restarts, detail, wakes_on_mail, next_wake_at } = one as Readonly<
    Record<string, unknown>
  >;
  if (typeof name !== "string" || typeof state !== "string") return undefined;
  const judged = typeof verdict === "string" ? verdict : "dead";
  const doing = textOrNull(task);
  const startedMs = parseTimestamp(started_at);
  const nextMs = parseTimestamp(next_wake_at);
  return {
    name,
    state,
    verdict: judged,
    task: doing,
    waiting_for: judged === "waiting" ? (doing ?? "another system") : null,
    since: startedMs === undefined ? null : formatTimestamp(startedMs),
    restarts: typeof restarts === "number" && Number.isSafeInteger(restarts) ? restarts : 0,
    detail: textOrNull(detail),
    ...(wakes_on_mail === true ? { wakes_on_mail } : {}),
    ...(nextMs === undefined ? {} : { next_wake_at: formatTimestamp(nextMs) }),
  };
}

const textOrNull = (value: unknown): string | null => (typeof value === "string" ? value.slice(0, 1_000) : null);
