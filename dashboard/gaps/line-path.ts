import type { GapEvidence } from "../../src/core/introspection/gaps/gap-evidence.ts";

type Samples = readonly Pick<GapEvidence["samples"][number], "at" | "value">[];

export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly fromMs: number;
  readonly untilMs: number;
  /** 0, a little below the lowest value, to 1. */
  readonly y: (value: number) => number;
}

/** Room above the highest and below the lowest value, as a share. */
const MARGIN = 0.06;

/** @param lines - values that must lie in the picture, too */
export function scaleOf(samples: Samples, lines: readonly number[]): Scale {
  let [low, high] = [Math.min(...lines), Math.max(...lines)];
  for (const { value } of samples) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const room = (high - low || 1) * MARGIN;
  const [bottom, top] = [low - room, high + room];
  return {
    low,
    high,
    fromMs: Date.parse(samples[0]?.at ?? ""),
    untilMs: Date.parse(samples.at(-1)?.at ?? ""),
    y: (value) => (value - bottom) / (top - bottom),
  };
}

/** The path of a line through the samples. */
export function linePath(samples: Samples, scale: Scale, width: number, height: number): string {
  const span = Math.max(1, scale.untilMs - scale.fromMs);
  return samples
    .map(({ at, value }, place) => {
      const x = ((Date.parse(at) - scale.fromMs) / span) * width;
      return `${place === 0 ? "M" : "L"}${x.toFixed(1)} ${(height - scale.y(value) * height).toFixed(1)}`;
    })
    .join("");
}
