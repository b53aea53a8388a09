import type { ReachedEdge } from "../edge-under-test.ts";
import { percentile } from "../figure.ts";
import { publish, stream } from "./log-works.ts";
import { calls, drain, enqueue, pickup } from "./queue-works.ts";

/** What one contestant does in one round, by figure. */
export type Results = Partial<Record<FigureName, number>>;

export interface ComparedFigure {
  readonly unit: string;
  /** Whether more is better; of times, less is. */
  readonly more: boolean;
  /** What the edge is to reach of the floor. */
  readonly of_floor?: { readonly at_least?: number; readonly at_most?: number };
  /** The least or most that the edge's own value may be. */
  readonly target?: { readonly at_least?: number; readonly at_most?: number };
}

/** What is measured, with what the edge is to reach. */
export const FIGURES = {
  signals_batch_100: { unit: "signals/s", more: true, of_floor: { at_least: 0.7 } },
  delivery_batch_100: { unit: "ms", more: false, target: { at_most: 5 } },
  signals_64_in_flight: { unit: "signals/s", more: true, of_floor: { at_least: 0.85 } },
  publish_to_subscriber: { unit: "ms", more: false, of_floor: { at_most: 1.25 } },
  tasks_one_lease_4_workers: { unit: "tasks/s", more: true, of_floor: { at_least: 0.75 } },
  tasks_leases_ahead_4_workers: { unit: "tasks/s", more: true },
  pickup: { unit: "ms", more: false, of_floor: { at_most: 1.1 } },
  call_round_trip: { unit: "ms", more: false, of_floor: { at_most: 1.1 } },
  calls_32_in_flight: { unit: "calls/s", more: true },
  enqueue: { unit: "tasks/s", more: true },
  enqueue_behind_100k: { unit: "tasks/s", more: true },
  enqueue_behind_100k_of_none: { unit: "of the rate without a backlog", more: true, target: { at_least: 0.95 } },
} as const satisfies Record<string, ComparedFigure>;

export type FigureName = keyof typeof FIGURES;

/** The sizes of the works: as small as they can be without measuring the start of things. */
export interface Sizes {
  readonly batches: number;
  readonly single: number;
  readonly rounds: number;
  readonly drained: number;
  readonly called: number;
  readonly enqueued: number;
  readonly behind: number;
}

/** One that does the same works. */
export interface Contestant {
  readonly name: string;
  readonly run: (sizes: Sizes) => Promise<Results>;
  readonly stop: () => Promise<void>;
}

export const FULL: Sizes = {
  batches: 200_000,
  single: 20_000,
  rounds: 500,
  drained: 4_000,
  called: 6_400,
  enqueued: 20_000,
  behind: 100_000,
};

/** Some figures, which are made together. */
export interface Work {
  readonly figures: readonly FigureName[];
  readonly run: (target: ReachedEdge, sizes: Sizes) => Promise<Results>;
}

/** What is done in each round, in this order. */
export const WORKS: readonly Work[] = [
  {
    figures: ["signals_batch_100", "delivery_batch_100"],
    run: async (target, { batches: signals }) => {
      const { perSecond, deliveryMs } = await stream(target, { size: 100, inFlight: 8, signals });
      return { signals_batch_100: perSecond, delivery_batch_100: deliveryMs };
    },
  },
  work("signals_64_in_flight", async (target, { single: signals }) => {
    return (await stream(target, { size: 1, inFlight: 64, signals })).perSecond;
  }),
  work("call_round_trip", async (target, { rounds }) => warmMedian((await calls(target, rounds, 1)).millis)),
  work("calls_32_in_flight", async (target, { called }) => (await calls(target, called, 32)).perSecond),
  work("publish_to_subscriber", (target, { rounds }) => publish(target, rounds)),
  work("tasks_one_lease_4_workers", (target, { drained }) => drain(target, drained, 1)),
  work("tasks_leases_ahead_4_workers", (target, { drained }) => drain(target, drained * 2, 100)),
  work("pickup", async (target, { rounds }) => warmMedian(await pickup(target, rounds))),
  work("enqueue", (target, { enqueued }) => enqueue(target, enqueued, 0)),
  work("enqueue_behind_100k", (target, { enqueued, behind }) => enqueue(target, enqueued, behind)),
];

function work(name: FigureName, run: (target: ReachedEdge, sizes: Sizes) => Promise<number>): Work {
  return { figures: [name], run: async (target, sizes) => ({ [name]: await run(target, sizes) }) };
}

/** All works once, on a target that speaks the edge's frames. */
export async function runWorks(target: ReachedEdge, sizes: Sizes): Promise<Results> {
  let results: Results = {};
  for (const { run } of WORKS) results = { ...results, ...(await run(target, sizes)) };
  return results;
}

/** The first fifth is left out: code is compiled as it warms. */
const warmMedian = (millis: readonly number[]): number => percentile(millis.slice(millis.length / 5), 0.5);
