import { describe, expect, it } from "vitest";
import { judgeSilence } from "../../../local-edge/judge-silence.ts";

const judged = (silentMs: number, cpuMs: number, waitedMs: number, diskMs = 0) =>
  judgeSilence({ silentMs, limitMs: 6_000, load: { cpuMs, waitedMs, diskMs } });

describe("a runtime that does not answer", () => {
  it("is started again at the limit where it does nothing, or the system tells nothing", () => {
    expect(judged(5_999, 0, 0)).toBeUndefined();
    expect(judged(6_000, 10, 10, 10)).toBe("while it does nothing");
    expect(judgeSilence({ silentMs: 6_000, limitMs: 6_000, load: undefined })).toBe("while it does nothing");
  });

  it("has half as long again where it computes", () => {
    expect(judged(8_999, 8_000, 0)).toBeUndefined();
    expect(judged(9_000, 8_000, 0)).toBe("while it computes");
  });

  it("does not do nothing where it ran for a fifth of the time and waited for another fifth", () => {
    expect(judged(7_000, 2_000, 2_000)).toBeUndefined();
    expect(judged(7_000, 1_000, 1_000, 1_000)).toBeUndefined();
    expect(judged(9_000, 2_000, 2_000)).toBe("while it computes");
  });

  it("is left alone for longer where it gets no processor", () => {
    expect(judged(29_999, 2_000, 20_000)).toBeUndefined();
    expect(judged(30_000, 2_000, 20_000)).toBe("although it waits for a processor");
  });

  it("is left alone for longer where it waits for its disk, or by turns for its disk and a processor", () => {
    expect(judged(29_999, 100, 0, 29_000)).toBeUndefined();
    expect(judged(30_000, 100, 0, 29_000)).toBe("although it waits for a disk");
    expect(judged(29_999, 100, 5_000, 5_000)).toBeUndefined();
  });
});
