import type { AttentionItem } from "../attention/api.ts";
import { shownItems } from "../attention/items.ts";
import type { Budget } from "../billing/budget.ts";
import type { FleetHost, FleetPage } from "../hosts/fleet.ts";
import type { Gap } from "../introspection/api.ts";
import { CHECKS_QUEUE } from "../queue/accept.ts";
import type { QueueStatus } from "../queue/api.ts";
import { unjudgedBy } from "../queue/queue-trouble.ts";
import type { LogStatus } from "../signals/api.ts";
import { formatTimestamp } from "../signals/timestamp.ts";
import { type Overview, SHOWN } from "./api.ts";

/** What an overview is made of. */
export interface OverviewParts {
  readonly ecosystem: string;
  readonly atMs: number;
  /** Most urgent first. */
  readonly items: readonly AttentionItem[];
  readonly fleet: FleetPage;
  readonly queues: readonly QueueStatus[];
  /** Queues in all. */
  readonly queuesInAll: number;
  readonly gaps: readonly Gap[];
  readonly deadLetters: number;
  readonly log: Pick<
    LogStatus,
    "head_seq" | "oldest_seq" | "signals_last_minute" | "subscribers" | "database_bytes"
  > & { readonly budget?: Budget | undefined };
  readonly unread: readonly string[];
}

export function overviewOf(parts: OverviewParts): Overview {
  const { ecosystem, atMs, items, fleet, queues, queuesInAll, gaps, deadLetters, log, unread } = parts;
  const breakers = queues.flatMap(({ queue, breakers }) => breakers.map((breaker) => ({ queue, ...breaker })));
  const listed = fleet.hosts.toSorted(downFirst).slice(0, SHOWN.hosts);
  const { hosts, processesLeftOut } = withFewProcesses(listed);
  const hostsOfChecks = queues.find(({ queue }) => queue === CHECKS_QUEUE)?.workers ?? {};
  return {
    ecosystem,
    at: formatTimestamp(atMs),
    attention: shownItems(items, SHOWN.attention),
    fleet: {
      hosts,
      totals: totalsOf(fleet),
      left_out: fleet.total - hosts.length,
      processes_left_out: processesLeftOut,
    },
    queues: queues.map((queue) => queueOf(queue, hostsOfChecks)),
    queues_left_out: beyond(queuesInAll, queues.length),
    gaps: {
      open: gaps.length,
      items: gaps.toSorted((a, b) => b.alignment_score - a.alignment_score).slice(0, SHOWN.gaps),
      left_out: beyond(gaps.length, SHOWN.gaps),
    },
    log: {
      last: log.head_seq,
      oldest: log.oldest_seq,
      per_minute: log.signals_last_minute,
      subscribers: log.subscribers,
      bytes: log.database_bytes,
    },
    dead_letters: { total: deadLetters },
    breakers: breakers.slice(0, SHOWN.breakers),
    breakers_left_out: beyond(breakers.length, SHOWN.breakers),
    usage: { budget: log.budget ?? null },
    unread,
  };
}

const beyond = (all: number, shown: number) => Math.max(0, all - shown);

/** Sorting is stable: within both halves hosts stay sorted by name. */
const downFirst = (a: FleetHost, b: FleetHost) => Number(a.state === "up") - Number(b.state === "up");

/** Hosts with as many of their processes as one document holds. */
function withFewProcesses(listed: readonly FleetHost[]): { hosts: FleetHost[]; processesLeftOut: number } {
  let room: number = SHOWN.processes;
  let processesLeftOut = 0;
  const hosts = listed.map((host) => {
    const processes = host.processes.slice(0, room);
    room -= processes.length;
    processesLeftOut += host.processes.length - processes.length;
    return processes.length === host.processes.length ? host : { ...host, processes };
  });
  return { hosts, processesLeftOut };
}

function totalsOf({ hosts, total }: FleetPage): Overview["fleet"]["totals"] {
  const up = hosts.filter(({ state }) => state === "up");
  const verdicts = new Map<string, number>();
  let processes = 0;
  for (const { processes: all } of up) {
    for (const { state, verdict } of all) {
      processes++;
      const counted = state === "gave_up" ? state : verdict;
      verdicts.set(counted, (verdicts.get(counted) ?? 0) + 1);
    }
  }
  return {
    hosts: total,
    up: up.length,
    down: hosts.length - up.length,
    processes,
    by_verdict: Object.fromEntries(verdicts),
  };
}

function queueOf(status: QueueStatus, hostsOfChecks: Readonly<Record<string, number>>): Overview["queues"][number] {
  const { verifying, unjudged, parked } = status;
  return {
    queue: status.queue,
    ready: status.depth,
    leased: status.running,
    ...(verifying === undefined ? {} : { verifying }),
    ...(parked === undefined ? {} : { parked }),
    ...(unjudged === undefined ? {} : { unjudged: unjudgedBy(unjudged, hostsOfChecks) }),
    oldest_ms: status.oldest_age_ms,
    wait_p50_ms: status.wait_p50_ms ?? null,
    run_p50_ms: status.run_p50_ms ?? null,
    workers: Object.values(status.workers).reduce((sum, count) => sum + count, 0),
    alerts: status.alerts,
    ...(status.paused === null ? {} : { paused: true as const }),
  };
}
