import { describe, expect, test } from "vitest";
import { runtimeFlags } from "../../../local-edge/runtime/runtime-flags.ts";

describe("the V8 flags of the edge on one machine", () => {
  test("keep the young generation small beside flags of the user's own", () => {
    expect(runtimeFlags()).toBe("--max-semi-space-size=2");
    expect(runtimeFlags(" --max-old-space-size=128  ")).toBe("--max-old-space-size=128 --max-semi-space-size=2");
  });

  test("keep the size of the young generation that the user names, however often they are asked for", () => {
    expect(runtimeFlags("--max-semi-space-size=16")).toBe("--max-semi-space-size=16");
    expect(runtimeFlags(runtimeFlags("--max-old-space-size=128"))).toBe(
      "--max-old-space-size=128 --max-semi-space-size=2",
    );
  });
});
