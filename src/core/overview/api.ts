import * as z from "zod";
import { AttentionItem } from "../attention/api.ts";
import { Budget } from "../billing/budget.ts";
import { FleetHost } from "../hosts/fleet.ts";
import { Gap } from "../introspection/api.ts";
import { QueueStatus } from "../queue/api.ts";
import { BreakerStatus } from "../queue/breaker-status.ts";
import { Timestamp } from "../signals/timestamp-schema.ts";

/** How much of each list an overview shows; what is beyond is counted. */
export const SHOWN = { attention: 20, hosts: 200, processes: 2_000, gaps: 50, breakers: 50 } as const;

const Count = z.int().nonnegative();
const MsOrNull = z.number().nullable();
const leftOut = (what: string) => Count.meta({ description: `${what} beyond those that are listed` });

const FleetTotals = z.object({
  hosts: Count.meta({ description: "Hosts in all" }),
  up: Count.meta({ description: "Hosts that are up" }),
  down: Count.meta({ description: "Hosts that are down" }),
  processes: Count.meta({ description: "Supervised processes of hosts that are up" }),
  by_verdict: z
    .record(z.string(), Count)
    .meta({ description: "Those processes by verdict; `gave_up` counts those that are not restarted any more" }),
});

/** A queue in an overview. */
export const OverviewQueue = z.object({
  queue: z.string().meta({ description: "Name of the queue" }),
  ready: Count.meta({ description: "Tasks that wait, delayed ones included" }),
  leased: Count.meta({ description: "Tasks that workers hold" }),
  verifying: Count.optional().meta({ description: "Tasks that wait to be judged; absent: none does" }),
  unjudged: QueueStatus.shape.unjudged,
  parked: QueueStatus.shape.parked,
  oldest_ms: MsOrNull.meta({ description: "How long the oldest task has waited; null: none waits" }),
  wait_p50_ms: MsOrNull.meta({ description: "Median of the waiting time of this hour and the one before" }),
  run_p50_ms: MsOrNull.meta({ description: "Median of the running time of this hour and the one before" }),
  workers: Count.meta({ description: "Connected workers and waiting requests" }),
  alerts: QueueStatus.shape.alerts.meta({ description: "Alerts that are raised now" }),
  paused: z.literal(true).optional().meta({ description: "The queue gives out no tasks; absent: it does" }),
});

const OverviewBreaker = BreakerStatus.extend({ queue: z.string().meta({ description: "Name of the queue" }) });

/** An ecosystem at a glance, in one document, bounded whatever the ecosystem holds. */
export const Overview = z.object({
  ecosystem: z.string(),
  at: Timestamp.meta({ description: "When the ecosystem was looked at, up to some two seconds ago" }),
  attention: z
    .object({
      total: Count.meta({ description: "Causes in all" }),
      critical: Count.meta({ description: "Causes that are critical" }),
      items: z
        .array(AttentionItem)
        .readonly()
        .meta({ description: `The first ${SHOWN.attention}, most urgent first` }),
      left_out: leftOut("Causes"),
    })
    .meta({ description: "What needs somebody, a row for each cause" }),
  fleet: z
    .object({
      hosts: z
        .array(FleetHost)
        .readonly()
        .meta({ description: `The first ${SHOWN.hosts} hosts, those that are down first, then by name` }),
      totals: FleetTotals.meta({ description: "Counts of the fleet" }),
      left_out: leftOut("Hosts"),
      processes_left_out: leftOut("Processes of the listed hosts"),
    })
    .meta({ description: "Hosts, and what they supervise" }),
  queues: z.array(OverviewQueue).readonly().meta({ description: "Queues, by name" }),
  queues_left_out: leftOut("Queues"),
  gaps: z
    .object({
      open: Count.meta({ description: "Open gaps in all" }),
      items: z
        .array(Gap)
        .readonly()
        .meta({ description: `The first ${SHOWN.gaps} open gaps, the worst first` }),
      left_out: leftOut("Gaps"),
    })
    .meta({ description: "Open gaps" }),
  log: z
    .object({
      last: Count.meta({ description: "Sequence number of the last signal; 0: none" }),
      oldest: Count.nullable().meta({ description: "Sequence number of the oldest signal; null: none" }),
      per_minute: Count.meta({ description: "Signals of the last minute" }),
      subscribers: Count.meta({ description: "Open links and streams" }),
      bytes: Count.meta({ description: "Bytes of storage that the log takes" }),
    })
    .meta({ description: "The log of signals" }),
  dead_letters: z
    .object({ total: Count.meta({ description: "Dead letters that wait" }) })
    .meta({ description: "Dead letters" }),
  breakers: z.array(OverviewBreaker).readonly().meta({ description: "Breakers that are not closed, by queue" }),
  breakers_left_out: leftOut("Breakers"),
  usage: z
    .object({
      budget: Budget.nullable().meta({ description: "The budget and what is spent of it; null: there is no budget" }),
    })
    .meta({ description: "What the ecosystem costs" }),
  unread: z
    .array(z.string())
    .readonly()
    .meta({ description: "What could not be looked at, or is too much to be looked at in one call" }),
});
export type Overview = Readonly<z.infer<typeof Overview>>;
