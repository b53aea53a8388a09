import { expect, it } from "vitest";
import { watchdogSeconds } from "../../../local-edge/watchdog.ts";

it.each([
  [undefined, 6],
  ["", 6],
  ["0", 0],
  ["2.5", 2.5],
])("the watchdog's time %j is read as %d seconds", (text, seconds) => {
  expect(watchdogSeconds(text === undefined ? {} : { GANGLION_WATCHDOG_SECONDS: text })).toBe(seconds);
});

it.each(["0.5", "-1", "6s", "1e3", "3601"])("the watchdog's time %j is refused", (text) => {
  expect(() => watchdogSeconds({ GANGLION_WATCHDOG_SECONDS: text })).toThrow(/GANGLION_WATCHDOG_SECONDS is ".*": give/);
});
