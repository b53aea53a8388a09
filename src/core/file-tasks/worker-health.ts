import * as z from "zod";
import type { FileWorkerHealth, FileWorkerView } from "./api.ts";

/** What is known of a host. */
export interface WorkerHost {
  readonly host: string;
  readonly state: "up" | "down";
  readonly last_seen: string;
  readonly runs: Readonly<Record<string, unknown>> | null;
}

/** Each host answers the edge once a minute. */
const STALE_MS = 90_000;

/** What a host says of its workers, in the status that it reports. */
const Runs = z.object({
  workers: z.array(z.object({ worker: z.string(), state: z.enum(["idle", "working", "open", "failing", "stopped"]) })),
});
const HEALTH = { idle: "healthy", working: "healthy", open: "open", failing: "failing", stopped: "stopped" } as const;

/**
 * The health of one worker on each host that runs it, or that has reported one of its tasks.
 *
 * @param counts - of this worker, by host
 */
export function fileWorkerHealth(
  worker: string,
  counts: readonly FileWorkerView[],
  agents: readonly WorkerHost[],
  nowMs: number,
): FileWorkerHealth[] {
  const known = new Map(counts.map((one) => [one.host, one]));
  const states = new Map(agents.map((agent) => [agent.host, stateOn(agent, worker)]));
  const hosts = new Set([
    ...known.keys(),
    ...agents.filter(({ host }) => states.get(host) !== undefined).map(({ host }) => host),
  ]);
  return [...hosts].sort().map((host) => {
    const agent = agents.find((one) => one.host === host);
    const heartbeat_at = agent?.last_seen ?? null;
    const heartbeat_age_ms = heartbeat_at === null ? null : Math.max(0, nowMs - Date.parse(heartbeat_at));
    const isStale = agent?.state !== "up" || heartbeat_age_ms === null || heartbeat_age_ms > STALE_MS;
    const state = states.get(host);
    const health = isStale ? "stale" : state === undefined ? "absent" : HEALTH[state];
    return { ...(known.get(host) ?? { ...NO_TASKS, worker, host }), health, heartbeat_at, heartbeat_age_ms };
  });
}

const NO_TASKS = { complete: 0, failed: 0, timed_out: 0, running: 0, overdue: 0 };

function stateOn({ runs }: WorkerHost, worker: string): keyof typeof HEALTH | undefined {
  return Runs.safeParse(runs).data?.workers.find((one) => one.worker === worker)?.state;
}
