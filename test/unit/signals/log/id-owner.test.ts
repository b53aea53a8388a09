import { describe, expect, it } from "vitest";
import { isVouchedId } from "../../../../src/core/signals/log/id-owner.ts";

describe("an id that the edge vouches for", () => {
  it.each([
    ["of the edge's own signals", "ganglion.policy.0a1b2c.7"],
    ["that the log assigned", "s12.0a1b2c"],
    ["of a host's bus", "gpu-01.0a1b2c3d4e5f.bus.9"],
    ["of a host with a full stop in its name", "gpu.01.0a1b2c3d4e5f.local.123456789012345"],
  ])("is one %s: %s", (_, id) => expect(isVouchedId(id)).toBe(true));

  it.each([
    "job-1",
    "s12",
    "s12.0A1B2C",
    "gpu-01.0a1b2c3d4e5f.bus",
    "gpu-01.0a1b2c.bus.9",
    "gpu-01.0a1b2c3d4e5f.other.9",
    "gpu-01.0a1b2c3d4e5f.bus.1234567890123456",
    ".0a1b2c3d4e5f.bus",
  ])("is none that a caller may choose: %s", (id) => expect(isVouchedId(id)).toBe(false));
});
