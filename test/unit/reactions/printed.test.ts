import { describe, expect, it } from "vitest";
import { KeptText } from "../../../local-agent/base/process/output.ts";
import { printedFacts } from "../../../src/core/reactions/printed.ts";

describe("the facts that a command printed", () => {
  const printed = (text: string, keep = 1_000) => {
    const kept = new KeptText(keep);
    kept.append(text);
    return printedFacts(kept);
  };

  it("are its whole output, or its last line", () => {
    expect(printed(' {"a":\n1}\n')).toEqual({ a: 1 });
    expect(printed('working\n{"a":1}\n')).toEqual({ a: 1 });
    expect(printed('{"a":1}\ndone\n')).toBeUndefined();
    expect(printed("[1]")).toBeUndefined();
  });

  it("are the last line of an output that is too long to be kept, if that line is known from its beginning", () => {
    expect(printed(`${"x".repeat(5_000)}\n{"a":1}\n`)).toEqual({ a: 1 });
  });

  it("are never the end of a long line that happens to be an object", () => {
    const end = `{"b":"${"y".repeat(742)}"}`;
    // Of 1,000 characters, 750 are the end.
    expect(end).toHaveLength(750);
    expect(printed(`${"x".repeat(5_000)}${end}`)).toBeUndefined();
  });
});
