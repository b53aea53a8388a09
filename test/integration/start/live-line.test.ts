import { describe, expect, it } from "vitest";
import { LiveLine } from "../../../scripts/start/live-line.ts";
import { describeStatus } from "../../../scripts/start/status-feed.ts";

/** A screen that shows what a terminal would: a carriage return goes to the left, and the code wipes the line. */
function screen(isTTY: boolean) {
  let written = "";
  return {
    isTTY,
    columns: 40,
    write: (text: string) => {
      written += text;
    },
    visible: () =>
      written.split("\n").map((line) => {
        const wiped = line.lastIndexOf("\r\x1b[2K");
        return wiped < 0 ? line : line.slice(wiped + 5);
      }),
  };
}

describe("the live line", () => {
  it("stays below what is said, on a terminal", () => {
    const terminal = screen(true);
    const line = new LiveLine(terminal, () => 0);
    line.show("1 signal/s");
    line.say("the agent is back");
    expect(terminal.visible()).toEqual(["the agent is back", "1 signal/s"]);
    line.clear();
    line.say("Stopped.");
    expect(terminal.visible()).toEqual(["the agent is back", "Stopped.", ""]);
  });

  it("is rewritten at most every two seconds", () => {
    let nowMs = 0;
    const terminal = screen(true);
    const line = new LiveLine(terminal, () => nowMs);
    line.show("1");
    nowMs = 1_000;
    line.show("2");
    expect(terminal.visible()).toEqual(["1"]);
    nowMs = 2_000;
    line.show("3");
    expect(terminal.visible()).toEqual(["3"]);
  });

  it("is cut to the width of the terminal, where it could not be wiped", () => {
    const terminal = screen(true);
    new LiveLine(terminal).show("x".repeat(100));
    expect(terminal.visible()).toEqual(["x".repeat(39)]);
  });

  it("becomes a line of the log, when it has changed and at most every 30 s, where there is no terminal", () => {
    let nowMs = 0;
    const file = screen(false);
    const line = new LiveLine(file, () => nowMs);
    for (const [atMs, text] of [
      [0, "a"],
      [10_000, "b"],
      [30_000, "b"],
      [60_000, "b"],
      [90_000, "c"],
    ] as const) {
      nowMs = atMs;
      line.show(text);
    }
    expect(file.visible()).toEqual(["a", "b", "c", ""]);
  });

  it("says how much comes, what is in the window and how many gaps are open", () => {
    const log = {
      head_seq: 1234,
      oldest_seq: 1,
      signals_last_minute: 60,
      subscribers: 1,
      bytes_in_flight: 0,
      hosts: ["a"],
      unknown_frames: 0,
      database_bytes: 4_096,
      heap: [],
      limit_bytes: 8e9,
      dropped_for_size: 0,
    };
    const window = { seconds: 300, size: 300, oldest: null, newest: null };
    const status = { ecosystem: "default", log, window, gaps: { open: 1 }, dead_letters: 0 };
    expect(describeStatus(status, 12.34)).toBe(
      "12.3 signals/s · 1234 in the log · 300 observations in the window · 1 open gap · 1 host linked",
    );
  });
});
