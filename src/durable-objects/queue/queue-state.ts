import { memorySamples, queueSamples } from "../../core/metrics/samples.ts";
import type { Waiters } from "../../core/queue/waiters.ts";
import type { ObjectHeap } from "../shell/isolate-heap.ts";
import type { OwnState } from "../shell/state-reports.ts";
import type { QueueRuntime } from "./queue-runtime.ts";

/** What a queue reports of itself. */
export function queueState(runtime: QueueRuntime, waiters: Waiters, heap: ObjectHeap): OwnState {
  const { queue, breakers, stored: ever, alerts } = runtime;
  const figures = {
    queue,
    breakers,
    ever,
    workers: waiters.counts,
    alerts: alerts.raised.length,
    paused: runtime.pause !== undefined,
  };
  return { samples: [...queueSamples(figures), ...memorySamples(heap.uses)], folded: 0 };
}
