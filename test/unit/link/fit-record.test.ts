import { describe, expect, it } from "vitest";
import { fitRecord } from "../../../local-agent/link/fit-record.ts";

const left = (bytes: number) => ({ error: `too large: ${bytes} bytes` });

describe("a record that has to fit into a frame", () => {
  it("is as it was where it fits", () => {
    const record = { a: 1, b: "two", c: undefined };
    expect(fitRecord(record, 100, left)).toEqual(record);
  });

  it("loses its largest fields, and no more of them than it must", () => {
    const record = { small: 1, wide: "€".repeat(1_000), large: "x".repeat(2_000), next: "y".repeat(900) };
    const fitted = fitRecord(record, 1_200, left);
    expect(fitted).toEqual({
      small: 1,
      wide: { error: "too large: 3002 bytes" },
      large: { error: "too large: 2002 bytes" },
      next: record.next,
    });
    expect(Buffer.byteLength(JSON.stringify(fitted))).toBeLessThanOrEqual(1_200);
  });
});
