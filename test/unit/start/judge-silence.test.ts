import { describe, expect, it } from "vitest";
import { judgeSilence } from "../../../local-edge/judge-silence.ts";

const judged = (silentMs: number, cpuMs: number, waitedMs: number) =>
  judgeSilence({
    silentMs,
    limitMs: 6_000,
    before: { cpuMs: 50, waitedMs: 70 },
    now: { cpuMs: 50 + cpuMs, waitedMs: 70 + waitedMs },
  });

describe("a runtime that does not answer", () => {
  it("is started again at the limit where it does nothing, or the system tells nothing", () => {
    expect(judged(5_999, 0, 0)).toBeUndefined();
    expect(judged(6_000, 10, 10)).toBe("while it does nothing");
    expect(judgeSilence({ silentMs: 6_000, limitMs: 6_000, before: undefined, now: undefined })).toBe(
      "while it does nothing",
    );
  });

  it("has half as long again where it computes", () => {
    expect(judged(8_999, 8_000, 0)).toBeUndefined();
    expect(judged(9_000, 8_000, 0)).toBe("while it computes");
  });

  it("is left alone for longer where it gets no processor", () => {
    expect(judged(29_999, 2_000, 20_000)).toBeUndefined();
    expect(judged(30_000, 2_000, 20_000)).toBe("although it waits for a processor");
  });
});
