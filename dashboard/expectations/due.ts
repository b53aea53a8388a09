import type { Expectation } from "../../src/core/policy/api.ts";
import type { Tone } from "../parts/tone.ts";

export interface Due extends Expectation {
  readonly key: string;
  readonly leftMs: number;
  readonly tone: Tone;
  /** 0 to 1 of the time that it may take. */
  readonly share: number;
}

/** From this share of the time on a signal is nearly late. */
const NEARLY = 0.8;

/** What is awaited, the next to be late first. */
export function dueList(expectations: readonly Expectation[], nowMs: number): Due[] {
  return expectations
    .map((one) => {
      const [since, due] = [Date.parse(one.since), Date.parse(one.due)];
      const share = due === since ? 1 : Math.min(1, Math.max(0, (nowMs - since) / (due - since)));
      const leftMs = due - nowMs;
      const tone: Tone = leftMs <= 0 ? "critical" : share >= NEARLY ? "warning" : "calm";
      return { ...one, key: `${one.rule} ${one.by} ${one.cause.id}`, leftMs, tone, share };
    })
    .sort((a, b) => a.leftMs - b.leftMs);
}
