import { describe, expect, it } from "vitest";
import { textLine } from "../../../local-agent/base/log.ts";

describe("log lines as text", () => {
  it("show time, level, message and fields", () => {
    expect(textLine({ time: 0, level: 40, msg: "bus: odd", count: 3, file: "a.json", reason: "two words" })).toBe(
      '00:00:00.000 warn  bus: odd count=3 file=a.json reason="two words"\n',
    );
  });

  it("cannot be forged by line breaks and terminal codes in a message", () => {
    const line = textLine({ time: 0, level: 30, msg: "x\n00:00:00.000 ERROR fake\u001b[31m", name: "a\nb" });
    expect(line.indexOf("\n")).toBe(line.length - 1);
    expect(line).not.toContain("\u001b");
  });
});
