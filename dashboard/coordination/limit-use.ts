import type { Limit } from "../../src/core/limits/api.ts";
import type { TaskView } from "../../src/core/queue/api.ts";
import type { Tone } from "../parts/tone.ts";
import { dollars, grouped } from "../parts/words.ts";

export const LIMIT_TONES: Readonly<Record<string, Tone>> = {
  open: "good",
  closed: "critical",
  probing: "warning",
  ramping: "notice",
};

interface Use {
  readonly what: string;
  /** Such as `12 of 50`. */
  readonly text: string;
  /** From 0 to 1; `undefined`: nothing is allowed or forbidden. */
  readonly share: number | undefined;
}

/** What is used of a limit against what is allowed; what is neither used nor limited is left out. */
export function usesOf(limit: Limit): Use[] {
  const { used, held, spent_usd, held_usd } = limit;
  const parts: readonly (readonly [what: string, used: number, allowed: number | undefined, words: typeof grouped])[] =
    [
      ["requests a minute", used.requests, limit.requests_per_minute, grouped],
      ["tokens in a minute", used.input_tokens, limit.input_tokens_per_minute, grouped],
      ["tokens out a minute", used.output_tokens, limit.output_tokens_per_minute, grouped],
      ["at a time", held, limit.concurrency, grouped],
      ["today", spent_usd + held_usd, limit.usd_per_day, dollars],
    ];
  return parts
    .filter(([, use, allowed]) => use > 0 || allowed !== undefined)
    .map(([what, use, allowed, words]) => ({
      what,
      text: allowed === undefined ? words(use) : `${words(use)} of ${words(allowed)}`,
      share: allowed === undefined ? undefined : Math.min(1, use / allowed),
    }));
}

interface ParkedTask {
  readonly queue: string;
  readonly task: TaskView;
}

/** Of the tasks of queues those that wait for a limit, in the order in which their limits open. */
export const parkedOf = (queues: readonly (readonly [queue: string, tasks: readonly TaskView[]])[]): ParkedTask[] =>
  queues
    .flatMap(([queue, tasks]) =>
      tasks.filter(({ parked_reason }) => parked_reason !== undefined).map((task) => ({ queue, task })),
    )
    .sort((a, b) => ((a.task.parked_until ?? "") < (b.task.parked_until ?? "") ? -1 : 1));
