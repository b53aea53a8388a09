import { describe, expect, test } from "vitest";
import { differInSubject, resemblance, sketchText } from "../../../src/core/policy/similarity.ts";
import fc from "../../fast-check.ts";

const similarity = (a: string, b: string) => resemblance(sketchText(a), sketchText(b));
const differ = (a: string, b: string) => differInSubject(sketchText(a), sketchText(b));

describe("two texts", () => {
  test.each([
    ["Why is inference slow?", "why is  INFERENCE slow"],
    ["Why is inference slow?", "Why is the inference slow"],
    ["What is the purpose of module foo?", "What's the purpose of the module foo"],
    [
      "How can GPU utilisation be improved on training hosts?",
      "How can we improve GPU utilisation on the training hosts?",
    ],
  ])("%s | %s are one question", (a, b) => {
    expect(similarity(a, b)).toBeGreaterThan(0.7);
    expect(differ(a, b)).toBe(false);
  });

  test.each([
    ["Why is gpu-01 slow on Mondays?", "Why is gpu-02 slow on Mondays?"],
    ["What does the module alpha do, and should it stay?", "What does the module beta do, and should it stay?"],
    ["Is 4 enough for the batch size?", "Is 8 enough for the batch size?"],
  ])("%s | %s are about different subjects", (a, b) => {
    expect(similarity(a, b)).toBeGreaterThan(0.6);
    expect(differ(a, b)).toBe(true);
  });

  test("are as similar as their sets of shingles, exactly while they are short", () => {
    const shingles = (text: string) => new Set([...text].slice(0, -2).map((_, at) => text.slice(at, at + 3)));
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("ab", "cd", "abc", "d"), { maxLength: 12 }),
        fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 20 }),
        (words, other) => {
          const [a, b] = [shingles(` ${words.join(" ")} `), shingles(` ${other} `)];
          const union = new Set([...a, ...b]).size;
          const both = [...a].filter((shingle) => b.has(shingle)).length;
          expect(similarity(words.join(" "), other)).toBeCloseTo(union === 0 ? 1 : both / union, 10);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test("are as similar as their sets of shingles to within about a tenth when they are long", () => {
    const words = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, at) => ((from + at) * 2_654_435_761).toString(36)).join(" ");
    // 200 of 300 words are shared: a Jaccard index of a half.
    expect(similarity(words(0, 300), words(100, 400))).toBeGreaterThan(0.35);
    expect(similarity(words(0, 300), words(100, 400))).toBeLessThan(0.65);
    expect(similarity(words(0, 300), words(300, 600))).toBeLessThan(0.3);
  });
});
