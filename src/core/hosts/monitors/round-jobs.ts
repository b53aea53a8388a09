import type { Round } from "./rounds.ts";

/** One thing that a minute's round does in one ecosystem. */
export type RoundJob =
  | { readonly what: "nudge" | "ask" | "retain"; readonly ecosystem: string }
  /** Sockets that this token has opened are closed. */
  | { readonly what: "close"; readonly ecosystem: string; readonly token: string };

/**
 * Calls of objects that one invocation makes at most. Cloudflare allows 1,000, and what an invocation begins beyond that
 * fails. @see https://developers.cloudflare.com/workers/platform/limits/#subrequests
 */
const CALLS = 400;

/** The nudges come first: they are quick, and hosts may be long in answering. */
export function jobsOf(round: Round, closing: readonly { token: string; ecosystems: readonly string[] }[]): RoundJob[] {
  const all = (what: "nudge" | "ask" | "retain") => round[what].map((ecosystem): RoundJob => ({ what, ecosystem }));
  const close = closing.flatMap(({ token, ecosystems }) =>
    ecosystems.map((ecosystem): RoundJob => ({ what: "close", ecosystem, token })),
  );
  return [...close, ...all("nudge"), ...all("retain"), ...all("ask")];
}

/** Splits jobs so that each part is one invocation's work. */
export function shareOut(jobs: readonly RoundJob[]): RoundJob[][] {
  const shares: RoundJob[][] = [];
  let calls = Number.POSITIVE_INFINITY;
  for (const job of jobs) {
    calls += callsOf(job);
    if (calls > CALLS) {
      shares.push([]);
      calls = callsOf(job);
    }
    shares.at(-1)?.push(job);
  }
  return shares;
}

/** Closing asks for the queues of an ecosystem and then calls each; few have more than a handful. */
const callsOf = ({ what }: RoundJob) => (what === "close" ? 10 : 1);
