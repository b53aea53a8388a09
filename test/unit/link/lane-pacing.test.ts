import { describe, expect, it } from "vitest";
import { LanePacing } from "../../../local-agent/link/lane-pacing.ts";

const OBSERVATIONS_MS = 400;
const OTHERS_MS = 50;

function pacedLane(): LanePacing {
  const pacing = new LanePacing();
  pacing.pace = { observations_ms: OBSERVATIONS_MS, others_ms: OTHERS_MS };
  return pacing;
}

/** A lane that was quiet for long. */
function quietLane(): LanePacing {
  const pacing = pacedLane();
  pacing.sent(true, -10_000);
  return pacing;
}

/** Puts of single signals at these times. @returns the times at which frames are sent */
function sendsOf(puts: readonly number[], observations: boolean, untilMs = 10_000): number[] {
  const pacing = quietLane();
  const sends: number[] = [];
  let unsent = false;
  for (let nowMs = 0; nowMs <= untilMs; nowMs++) {
    for (const put of puts) {
      if (put !== nowMs) continue;
      pacing.put(1, observations);
      unsent = true;
    }
    if (!unsent || pacing.waitingUntil(nowMs) !== undefined) continue;
    pacing.sent(true, nowMs);
    unsent = false;
    sends.push(nowMs);
  }
  return sends;
}

describe("pacing of a lane", () => {
  it("sends the first observation at once, and gathers those that follow", () => {
    expect(sendsOf([0, 10, 20, 200, 2_000], true)).toEqual([0, OBSERVATIONS_MS, 2_000]);
  });

  it("sends the first of other signals at once, and those that follow soon after", () => {
    expect(sendsOf([0, 10, 20, 200], false)).toEqual([0, OTHERS_MS, 200]);
  });

  it("makes two and a half frames a second of twenty observations a second", () => {
    const puts = Array.from({ length: 200 }, (_, n) => n * 50);
    expect(sendsOf(puts, true).length).toBeLessThanOrEqual(26);
  });

  it("lets other signals take the observations before them along", () => {
    const pacing = quietLane();
    pacing.sent(true, 0);
    pacing.put(1, true);
    expect(pacing.waitingUntil(10)).toBe(OBSERVATIONS_MS);
    pacing.put(1, false);
    expect(pacing.waitingUntil(10)).toBe(OTHERS_MS);
    expect(pacing.waitingUntil(OTHERS_MS)).toBeUndefined();
  });

  it("holds up neither a backlog nor enough signals for a frame", () => {
    const pacing = pacedLane();
    pacing.put(1, true);
    expect(pacing.waitingUntil(0)).toBeUndefined();
    pacing.sent(false, 0);
    pacing.put(1, true);
    expect(pacing.waitingUntil(1)).toBeUndefined();
    pacing.sent(true, 1);
    pacing.put(64, true);
    expect(pacing.waitingUntil(2)).toBeUndefined();
    pacing.sent(true, 2);
    pacing.put(1, true);
    pacing.hurry();
    expect(pacing.waitingUntil(3)).toBeUndefined();
  });

  it("sends at once where the edge asks for no pace, or no more", () => {
    const pacing = quietLane();
    pacing.sent(true, 0);
    pacing.put(1, true);
    expect(pacing.waitingUntil(1)).toBe(OBSERVATIONS_MS);
    pacing.pace = undefined;
    expect(pacing.waitingUntil(1)).toBeUndefined();
  });

  it("sends the end of a flood of observations soon", () => {
    const pacing = quietLane();
    pacing.put(64, true);
    pacing.sent(true, 0);
    pacing.put(1, true);
    expect(pacing.waitingUntil(1)).toBe(OTHERS_MS);
  });
});
