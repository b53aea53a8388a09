import type { Round } from "./rounds.ts";

/** One job of a round, in one ecosystem. */
export type RoundJob =
  | { readonly what: "nudge" | "ask" | "retain" | "count" | "export"; readonly ecosystem: string }
  /** Close the sockets that this token opened. */
  | { readonly what: "close"; readonly ecosystem: string; readonly token: string };

/**
 * Maximum number of calls of objects that one invocation makes. Cloudflare allows 1,000; further calls fail.
 *
 * @see https://developers.cloudflare.com/workers/platform/limits/#subrequests
 */
const MAX_CALLS = 400;

/**
 * Jobs in order: hosts are asked last, because their answers may take long.
 *
 * @param counting - ecosystems with a budget of which is counted what they have spent
 * @param exporting - active ecosystems whose finished work is exported
 */
export function jobsOf(
  round: Round,
  closing: readonly { token: string; ecosystems: readonly string[] }[],
  counting: readonly string[] = [],
  exporting: readonly string[] = [],
): RoundJob[] {
  const all = (what: "nudge" | "ask" | "retain") => round[what].map((ecosystem): RoundJob => ({ what, ecosystem }));
  const close = closing.flatMap(({ token, ecosystems }) =>
    ecosystems.map((ecosystem): RoundJob => ({ what: "close", ecosystem, token })),
  );
  const count = counting.map((ecosystem): RoundJob => ({ what: "count", ecosystem }));
  const exports = exporting.map((ecosystem): RoundJob => ({ what: "export", ecosystem }));
  return [...close, ...all("nudge"), ...all("retain"), ...count, ...exports, ...all("ask")];
}

/** Splits jobs into parts of which each fits into one invocation. */
export function splitJobs(jobs: readonly RoundJob[]): RoundJob[][] {
  const parts: RoundJob[][] = [];
  let calls = Number.POSITIVE_INFINITY;
  for (const job of jobs) {
    calls += callsOf(job);
    if (calls > MAX_CALLS) {
      parts.push([]);
      calls = callsOf(job);
    }
    parts.at(-1)?.push(job);
  }
  return parts;
}

/** Closing and counting list the queues of an ecosystem and call each; few ecosystems have more than a handful. */
const CALLS: Readonly<Partial<Record<RoundJob["what"], number>>> = { close: 10, count: 25 };
const callsOf = ({ what }: RoundJob) => CALLS[what] ?? 1;
