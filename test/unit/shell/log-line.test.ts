import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { logLine } from "../../../src/durable-objects/shell/log-line.ts";

const lines: { level: string; text: string }[] = [];

beforeEach(() => {
  lines.length = 0;
  for (const level of ["warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation((text: string) => void lines.push({ level, text }));
});
afterEach(() => void vi.restoreAllMocks());

function logged(...line: Parameters<typeof logLine>) {
  logLine(...line);
  expect(lines).toHaveLength(1);
  return lines[0]?.text ?? "";
}

describe("a line of the edge's log", () => {
  it("is one line of JSON with the level, the event, whom it concerns and the error", () => {
    const text = logged("warn", "projection-failed", {
      ecosystem: "default",
      object: "policy",
      error: new Error("a\nb"),
    });
    expect(text).not.toContain("\n");
    expect(JSON.parse(text)).toEqual({
      level: "warn",
      event: "projection-failed",
      ecosystem: "default",
      object: "policy",
      error: "Error: a\nb",
    });
    expect(lines[0]?.level).toBe("warn");
  });

  it("has the stack of an error, where it says how a bug came about", () => {
    const { error, stack } = JSON.parse(logged("error", "unexpected-error", { error: new TypeError("broken") }));
    expect(error).toBe("TypeError: broken");
    expect(stack).toContain("log-line.test.ts");
  });

  it("leaves out what is not known", () => {
    expect(JSON.parse(logged("error", "newer-schema", { object: undefined as never }))).toEqual({
      level: "error",
      event: "newer-schema",
    });
  });

  it.each([
    ["a token", `gng_abcdefghijkl_${"s3cret".repeat(8)}`, "gng_abcdefghijkl_…"],
    ["the administrator's token", "gng_admin_s3cret-s3cret", "gng_admin_…"],
    ["a header", "authorization: Bearer s3cret.s3cret", "authorization: Bearer …"],
    ["a webhook's secret", "whsec_s3cret+/=", "whsec_…"],
    ["a model's key", "sk-s3cret-s3cret-s3cret", "sk-…"],
  ])("does not hold %s, in whichever field", (_, secret, instead) => {
    const cause = new Error(`refused: ${secret}`);
    const text = logged("error", "unexpected-error", {
      error: cause,
      detail: secret,
      nested: { toString: () => secret },
    });
    expect(text).not.toContain("s3cret");
    expect(JSON.parse(text)).toMatchObject({ error: `Error: refused: ${instead}`, detail: instead, nested: instead });
  });

  it("stays short, however long the request that an error quotes, and hides a secret at the cut", () => {
    const text = logged("warn", "rules-not-checked", {
      error: `${"x".repeat(1_985)} gng_admin_${"s3cret".repeat(9_000)}`,
    });
    expect(text.length).toBeLessThan(2_200);
    expect(text).not.toContain("s3cret");
  });

  it("is written whatever an error is", () => {
    const hostile = { toString: () => Object.create(null) };
    expect(JSON.parse(logged("error", "unexpected-error", { error: hostile }))).toMatchObject({
      event: "unexpected-error",
    });
  });
});
