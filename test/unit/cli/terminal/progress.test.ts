import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { hideProgress, progress, whileWaiting } from "../../../../cli/terminal/progress.ts";

const { isTTY, write } = process.stderr;
let written = "";

beforeEach(() => {
  vi.useFakeTimers();
  written = "";
  process.stderr.isTTY = true;
  process.stderr.write = (chunk: string | Uint8Array) => {
    written += String(chunk);
    return true;
  };
});
afterEach(() => {
  hideProgress();
  process.stderr.isTTY = isTTY;
  process.stderr.write = write;
  vi.useRealTimers();
});

describe("progress", () => {
  it("is shown of what takes more than a second, and taken away", async () => {
    const { say, end } = progress();
    say("10 of 100");
    expect(written).toBe("");
    await vi.advanceTimersByTimeAsync(1_000);
    say("50 of 100");
    expect(written).toBe("\r\u001b[2K50 of 100");
    end();
    expect(written.endsWith("\r\u001b[2K")).toBe(true);
  });

  it("says for how long an answer is awaited", async () => {
    const answer = whileWaiting(new Promise((resolve) => setTimeout(() => resolve("done"), 2_500)));
    await vi.advanceTimersByTimeAsync(2_500);
    expect(await answer).toBe("done");
    expect(written).toBe("\r\u001b[2Kwaiting for the edge, 1 s\r\u001b[2Kwaiting for the edge, 2 s\r\u001b[2K");
  });

  it("is not shown in a file", async () => {
    process.stderr.isTTY = false;
    const answer = whileWaiting(new Promise((resolve) => setTimeout(resolve, 5_000)));
    await vi.advanceTimersByTimeAsync(5_000);
    await answer;
    expect(written).toBe("");
  });
});
