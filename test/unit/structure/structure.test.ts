import { describe, expect, it } from "vitest";
import { KNOWN_VIOLATIONS } from "./known-violations.ts";
import { readSources } from "./read-sources.ts";
import { ALL_RULES, unusedNeighbours } from "./rules.ts";

const sources = readSources();
const violations = ALL_RULES.flatMap((rule) => rule(sources));

describe("the structure of the sources", () => {
  it("breaks no rule beyond the violations that are known", () => {
    const known = new Set(KNOWN_VIOLATIONS);
    expect(violations.filter(({ key }) => !known.has(key)).map(({ message }) => message)).toEqual([]);
  });

  it("still has each known violation: what was put right leaves the list", () => {
    const present = new Set(violations.map(({ key }) => key));
    expect(KNOWN_VIOLATIONS.filter((key) => !present.has(key))).toEqual([]);
  });

  it("makes use of every import that a core concept is allowed", () => {
    expect(unusedNeighbours(sources)).toEqual([]);
  });
});
