import { describe, expect, it } from "vitest";
import { isAllowedHost } from "../../../src/core/access/allowed-hosts.ts";

describe("hosts that requests may name", () => {
  it.each([
    "127.0.0.1",
    "127.0.0.1:8787",
    "localhost:1",
    "LOCALHOST",
    "localhost.",
    "[::1]",
    "[::1]:8787",
    "edge.localhost:8787",
  ])("include %s wherever hosts are checked", (host) => expect(isAllowedHost("", host)).toBe(true));

  it.each([
    "",
    "evil.example",
    "evil.example:8787",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil-localhost",
    ".localhost",
    "evil.example/.localhost",
    "10.0.0.1",
    "0.0.0.0",
    "[::2]",
  ])("do not include %j without a setting", (host) => expect(isAllowedHost("", host)).toBe(false));

  it("include those of the setting with any port, and all where the setting is *", () => {
    expect(isAllowedHost("ganglion.lan, Other.Example:80", "ganglion.lan:9000")).toBe(true);
    expect(isAllowedHost("ganglion.lan, Other.Example:80", "other.example")).toBe(true);
    expect(isAllowedHost("ganglion.lan", "x.ganglion.lan")).toBe(false);
    expect(isAllowedHost("*", "evil.example")).toBe(true);
  });

  it("are not checked on an edge without the setting", () => {
    expect(isAllowedHost(undefined, "ganglion.example.workers.dev")).toBe(true);
  });
});
