import { describe, expect, it } from "vitest";
import { amountsOf } from "../../../src/core/billing/bill.ts";
import { predictFleetDay } from "../../../src/core/billing/predict.ts";
import { INCLUDED, LINES } from "../../../src/core/billing/prices.ts";
import { paceOf } from "../../../src/core/deployment/profile.ts";

const messagesPerMinute = paceOf({ PROFILE: "free" }).observations.perSecond * 60;
/** A week of measurements of 500 bytes. */
const storedGb = (hosts: number, samplerSeconds: number) => ((hosts * 604_800) / samplerSeconds) * 5e-7;

/** Lines of the free plan's day that a fleet exceeds. */
function exceeded(hosts: number, samplerSeconds: number): string[] {
  const usage = predictFleetDay({ hosts, samplerSeconds, messagesPerMinute });
  const amounts = amountsOf(usage, storedGb(hosts, samplerSeconds));
  return LINES.filter((line) => amounts[line] > INCLUDED.free.amounts[line]);
}

describe("the free plan, by design", () => {
  it("holds twenty hosts that measure themselves every 60 s, by every allowance", () => {
    expect(exceeded(20, 60)).toEqual([]);
  });

  it("holds no twenty hosts that measure themselves every 5 s", () => {
    expect(exceeded(20, 5)).toContain("rows_written");
  });
});
