import { describe, expect, test } from "vitest";
import { readIdempotencyKey } from "../../../src/core/idempotency/key.ts";

describe("the header Idempotency-Key", () => {
  test.each([
    ["8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ['"8e03978e"', "8e03978e"],
    ['  "a b"  ', "a b"],
    [String.raw`"say \"hi\" \\"`, String.raw`say "hi" \ `.trim()],
    ["order 17", "order 17"],
    ["x".repeat(255), "x".repeat(255)],
    ["it's", "it's"],
  ])("%s holds a key", (header, key) => {
    expect(readIdempotencyKey(header)).toBe(key);
  });

  test.each(["", "   ", '""', '"', '"a', String.raw`"a\n"`, '"a"b"', "x".repeat(256), "schlüssel", "a\tb", '" a"'])(
    "%j holds none",
    (header) => {
      expect(readIdempotencyKey(header)).toBeUndefined();
    },
  );
});
