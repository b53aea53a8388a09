import { describe, expect, it } from "vitest";
import { LockName, lockNameProblem } from "../../../src/core/locks/lock-name.ts";
import fc from "../../fast-check.ts";

const overlap = (one: string, other: string) => {
  const both = [new LockName(one), new LockName(other)] as const;
  const answer = both[0].overlaps(both[1]);
  expect(both[1].overlaps(both[0]), `${one} and ${other}, either way`).toBe(answer);
  return answer;
};

/** Everything that a pattern matches, of all names with few parts and few letters. */
const PARTS = ["a", "b", "aa", "ab", "ba", "bb"];
const NAMES = [...PARTS, ...PARTS.flatMap((one) => PARTS.map((other) => `${one}/${other}`))].flatMap((name) => [
  name,
  ...PARTS.map((part) => `${name}/${part}`),
]);
function expression(pattern: string): RegExp {
  const parts = pattern.split("/").map((part) => (part === "**" ? "**" : part.replaceAll("*", "[^/]*")));
  const all = parts.map((part, place) =>
    part === "**"
      ? place === 0
        ? "(?:[^/]+(?:/|$))*"
        : "(?:/[^/]+)*"
      : `${place === 0 || (parts[place - 1] === "**" && place === 1) ? "" : "/"}${part}`,
  );
  return new RegExp(`^${all.join("")}$`);
}
const matches = (pattern: string, name: string) => expression(pattern).test(name);

describe("names of locks", () => {
  it("overlap where they are the same, and not where they are others", () => {
    expect(overlap("port:80", "port:80")).toBe(true);
    expect(overlap("port:80", "port:8080")).toBe(false);
  });

  it("of a tree exclude the tree itself, everything in it, and trees that it is in, but no neighbour", () => {
    const tree = "tree:/srv/app/**";
    for (const met of ["tree:/srv/app", "tree:/srv/app/x", "tree:/srv/app/x/y", "tree:/srv/**", "tree:/srv/*/x", "**"])
      expect(overlap(tree, met), met).toBe(true);
    for (const other of ["tree:/srv/apple", "tree:/srv", "tree:/srv/apple/**", "port:80"])
      expect(overlap(tree, other), other).toBe(false);
  });

  it("with * match within one part", () => {
    expect(overlap("gpu:*", "gpu:0")).toBe(true);
    expect(overlap("gpu:*", "gpu:0/mem")).toBe(false);
    expect(overlap("log-*-old", "log-2026-*")).toBe(true);
    expect(overlap("*.log", "*.txt")).toBe(false);
  });

  it("overlap where some name is matched by both, as trying all names shows", () => {
    const part = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...PARTS) },
      { weight: 3, arbitrary: fc.constantFrom("*", "a*", "*a", "*b*", "a*b") },
      { weight: 2, arbitrary: fc.constant("**") },
    );
    const pattern = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
    fc.assert(
      fc.property(pattern, pattern, (one, other) => {
        // A ** in the first place needs a name with a part at least, which every name has.
        fc.pre(!one.startsWith("**") && !other.startsWith("**"));
        const shared = NAMES.some((name) => matches(one, name) && matches(other, name));
        if (shared) expect(overlap(one, other), `${one} and ${other}`).toBe(true);
        // Longer names than those that were tried may be shared where both have a wildcard of their own.
        else if (!one.includes("*") || !other.includes("*")) expect(overlap(one, other)).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  it("are refused where one thing could have two names, with what to write", () => {
    for (const unfit of [
      "a//b",
      "a/",
      "a/../b",
      "./a",
      "a/b**",
      "",
      " a",
      "a\n",
      "x".repeat(257),
      "a*".repeat(9),
      "\ud800",
    ])
      expect(lockNameProblem(unfit), unfit).toBeTypeOf("string");
    for (const fit of ["/srv/app", "a", "tree:/srv/app/**", "ü b", "x".repeat(256), "...", "*a".repeat(8)])
      expect(lockNameProblem(fit), fit).toBeUndefined();
  });

  it("of the most wildcards and characters are compared within a millisecond or few", () => {
    const long = (letter: string) =>
      `*${letter.repeat(60)}*${letter.repeat(60)}*${letter.repeat(60)}*${letter.repeat(60)}*`;
    expect(overlap(long("a"), long("b"))).toBe(true);
    expect(overlap(`${long("a")}x`, `${long("a")}y`)).toBe(false);
  });
});
