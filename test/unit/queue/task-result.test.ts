import { describe, expect, it } from "vitest";
import { resultJson } from "../../../src/core/queue/task-result.ts";

describe("the result of a task", () => {
  it.each([
    [undefined, "null"],
    [{ n: 1 }, '{"n":1}'],
    ["x".repeat(65_534), `"${"x".repeat(65_534)}"`],
  ])("is kept as JSON", (value, json) => expect(resultJson(value)).toEqual({ json }));

  it("that is too large says how large it is, in bytes, and how large it may be", () => {
    const reference = "return a reference to the data instead";
    expect(resultJson("x".repeat(65_535))).toEqual({ error: `result too large: 65537 bytes of 65536: ${reference}` });
    expect(resultJson("€".repeat(30_000))).toEqual({ error: `result too large: 90002 bytes of 65536: ${reference}` });
  });

  it("that has no JSON says why, instead of throwing", () => {
    const deep: unknown[] = [];
    let inner = deep;
    for (let depth = 0; depth < 100_000; depth++) {
      const next: unknown[] = [];
      inner.push(next);
      inner = next;
    }
    const circular: { self?: unknown } = {};
    circular.self = circular;
    expect(resultJson(deep)).toEqual({ error: "result nested too deeply: return a flatter value" });
    for (const value of [1n, circular, () => 1, Symbol("s")])
      expect(resultJson(value)).toEqual({ error: expect.stringMatching(/^result is not JSON: /) });
  });
});
