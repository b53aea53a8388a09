import { describe, expect, it } from "vitest";
import { readSources } from "./read-sources.ts";
import { ALL_RULES, unusedNeighbours } from "./rules.ts";

const sources = readSources();

describe("the structure of the sources", () => {
  it("breaks no rule", () => {
    expect(ALL_RULES.flatMap((rule) => rule(sources)).map(({ message }) => message)).toEqual([]);
  });

  it("makes use of every import that a core concept is allowed", () => {
    expect(unusedNeighbours(sources)).toEqual([]);
  });
});
