import { expect, test } from "vitest";
import { parseTimestamp } from "../../../src/core/signals/timestamp.ts";

test.each([
  ["2026-01-31T12:00:00.000Z", Date.UTC(2026, 0, 31, 12)],
  ["2026-01-31T13:00:00+01:00", Date.UTC(2026, 0, 31, 12)],
  ["2026-01-31T12:00:00.123456", Date.UTC(2026, 0, 31, 12, 0, 0, 123)],
  ["2026-01-31 12:00:00", Date.UTC(2026, 0, 31, 12)],
  [0, 0],
  [1769860800.5, 1769860800500],
])("%j is a time", (value, ms) => expect(parseTimestamp(value)).toBe(ms));

test.each([
  "",
  "now",
  "2026-13-01T00:00:00.000Z",
  "2026-01-31",
  Number.NaN,
  -1,
  1e15,
  null,
  {},
  "2026-01-31T12:00:00.000Zjunk",
])("%j is none", (value) => expect(parseTimestamp(value)).toBeUndefined());
