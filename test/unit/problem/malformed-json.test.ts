import { describe, expect, it } from "vitest";
import { describeMalformedJson } from "../../../src/core/problem/malformed-json.ts";
import fc from "../../fast-check.ts";

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const broken = fc
  .tuple(fc.json(), fc.nat(), fc.constantFrom("", "x", '"', ",", "]", "}", "\\", "\n", "0", "-"))
  .map(
    ([text, at, change]) => text.slice(0, at % (text.length + 1)) + change + text.slice((at % (text.length + 1)) + 1),
  );

describe("describeMalformedJson", () => {
  it("finds a fault exactly where JSON.parse refuses", () => {
    fc.assert(
      fc.property(fc.oneof(broken, fc.json(), fc.string()), (text) => {
        expect(describeMalformedJson(text) === undefined).toBe(isJson(text));
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ["", "line 1, column 1: expected a value, but the text ends"],
    ['{"a": 1,}', 'line 1, column 9: expected a name in "double quotes"'],
    ['{\n  "a" 1\n}', "line 2, column 7: expected :"],
    ["[1 2]", "line 1, column 4: expected , or ]"],
    ["{'a': 1}", 'line 1, column 2: expected a name in "double quotes"'],
    ['{"a": undefined}', "line 1, column 7: expected a value"],
    ['["\\x"]', 'line 1, column 4: expected one of " \\ / b f n r t u after \\'],
    ["[1] 2", "line 1, column 5: expected nothing more"],
  ])("says of %j: %s", (text, expected) => {
    expect(describeMalformedJson(text)).toBe(expected);
  });

  it("stands a million brackets", () => {
    expect(describeMalformedJson("[".repeat(1_000_000))).toContain("column 1000001");
  });
});
