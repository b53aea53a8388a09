import { describe, expect, it } from "vitest";
import { callerNetwork } from "../../../src/core/access/caller-address.ts";

describe("the network of a caller", () => {
  it.each([
    ["203.0.113.7", "203.0.113.7"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002::1", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
  ])("of %s is %s", (address, network) => {
    expect(callerNetwork(address)).toBe(network);
  });

  it("is the same for all addresses of one IPv6 network, and another for its neighbour", () => {
    expect(callerNetwork("2001:db8:1:2::1")).toBe(callerNetwork("2001:db8:1:2:ffff::"));
    expect(callerNetwork("2001:db8:1:2::1")).not.toBe(callerNetwork("2001:db8:1:3::1"));
  });
});
