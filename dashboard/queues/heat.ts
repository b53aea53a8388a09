import type { Tone } from "../parts/tone.ts";
import { duration } from "../parts/words.ts";

/** What the overview says of a queue. */
export interface QueueGlance {
  readonly queue: string;
  readonly ready: number;
  readonly leased: number;
  readonly oldest_ms: number | null;
  readonly wait_p50_ms: number | null;
  readonly run_p50_ms: number | null;
  readonly alerts: readonly unknown[];
  /** It gives out no tasks. */
  readonly paused?: boolean | undefined;
}

/** From which age of the oldest task on a queue is so hot, in milliseconds. */
const HEAT_MS = [0, 5_000, 30_000, 120_000, 600_000] as const;

/** 0, nothing waits, to 5: how long the oldest ready task has waited. */
export function heatOf({ oldest_ms, ready }: Pick<QueueGlance, "oldest_ms" | "ready">): number {
  if (oldest_ms === null || ready === 0) return 0;
  return HEAT_MS.filter((from) => oldest_ms >= from).length;
}

export const HEAT_WORDS = [
  "nothing waits",
  "fresh",
  "5 s and more",
  "30 s and more",
  "2 min and more",
  "10 min and more",
] as const;

/** Queues that a reader wants to see, the hottest first. */
export function wantedQueues<Queue extends QueueGlance>(queues: readonly Queue[], text: string): Queue[] {
  const wanted = text.trim().toLowerCase();
  return queues
    .filter(({ queue }) => queue.toLowerCase().includes(wanted))
    .sort((a, b) => (b.oldest_ms ?? -1) - (a.oldest_ms ?? -1) || (a.queue < b.queue ? -1 : 1));
}

/** Shares of the time between a task's arrival and its end: how long it waits, how long it runs. */
export function waitAgainstRun({
  wait_p50_ms,
  run_p50_ms,
}: Pick<QueueGlance, "wait_p50_ms" | "run_p50_ms">): number | undefined {
  if (wait_p50_ms === null || run_p50_ms === null || wait_p50_ms + run_p50_ms === 0) return undefined;
  return wait_p50_ms / (wait_p50_ms + run_p50_ms);
}

/** Where the queue stands, in a sentence. */
export function sentenceOf(queue: QueueGlance & { readonly workers?: number }): {
  readonly tone: Tone;
  readonly text: string;
} {
  const { ready, leased, oldest_ms, workers } = queue;
  const share = waitAgainstRun(queue);
  if (queue.paused === true) {
    return { tone: "warning", text: "Paused: it takes tasks, and gives none out." };
  }
  if (ready > 0 && workers === 0) {
    return { tone: "critical", text: "Tasks wait and no worker is connected: start one." };
  }
  if (ready > 0 && leased === 0 && (oldest_ms ?? 0) > 5_000) {
    return { tone: "warning", text: "Tasks wait and none is running: are the workers of their recipients there?" };
  }
  if (share !== undefined && share > 0.8 && ready > 0) {
    return {
      tone: "warning",
      text: `A task waits ${duration(queue.wait_p50_ms ?? 0)} and runs ${duration(queue.run_p50_ms ?? 0)}: more workers help more than faster ones.`,
    };
  }
  if (share !== undefined && ready > 0) {
    return {
      tone: "calm",
      text: `A task runs ${duration(queue.run_p50_ms ?? 0)} and waits ${duration(queue.wait_p50_ms ?? 0)}: the work itself takes the time.`,
    };
  }
  if (leased > 0) return { tone: "good", text: "Everything that came is being worked on." };
  return { tone: "calm", text: "Nothing waits." };
}
