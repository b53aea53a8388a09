import { describe, expect, test } from "vitest";
import {
  counted,
  dollars,
  duration,
  exact,
  figure,
  grouped,
  inLine,
  relative,
} from "../../../dashboard/parts/words.ts";

describe("words of the dashboard", () => {
  test.each([
    [0, "0 ms"],
    [450, "450 ms"],
    [3_250, "3.3 s"],
    [42_000, "42 s"],
    [60_000, "1 min"],
    [200_000, "3 min 20 s"],
    [3_600_000 * 5 + 60_000 * 7, "5 h 7 min"],
    [86_400_000 * 12 + 3_600_000, "12 d"],
  ])("say a length of %d ms as %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  test("say when something was, and when something will be", () => {
    expect(relative(0, 125_000)).toBe("2 min 5 s ago");
    expect(relative(3_400, 0)).toBe("in 3 s");
    expect(relative(100, 500)).toBe("now");
  });

  test("say a time exactly, and one that is none as it came", () => {
    expect(exact("2026-01-31T12:00:00.5Z")).toBe("2026-01-31 12:00:00.500 UTC");
    expect(exact("soon")).toBe("soon");
  });

  test("count in the singular and the plural", () => {
    expect(counted(1, "task")).toBe("1 task");
    expect(counted(12_400, "process", "processes")).toBe("12,400 processes");
  });

  test("group the digits of large numbers", () => {
    expect(grouped(0)).toBe("0");
    expect(grouped(1_234_567)).toBe("1,234,567");
  });

  test("give a figure as many digits as a reader needs", () => {
    expect(figure(0.123_456)).toBe("0.123");
    expect(figure(98.76)).toBe("98.8");
    expect(figure(12_345.6)).toBe("12,346");
  });

  test("give dollars to the cent, and less than a cent in its own digits", () => {
    expect(dollars(0)).toBe("$0");
    expect(dollars(12.345)).toBe("$12.35");
    expect(dollars(0.001_23)).toBe("$0.0012");
  });

  test("put any value into one line and cut what is too long", () => {
    expect(inLine({ a: [1, 2] })).toBe('{"a":[1,2]}');
    expect(inLine(undefined)).toBe("");
    expect(inLine("x".repeat(300), 10)).toBe(`${"x".repeat(10)}…`);
  });
});
