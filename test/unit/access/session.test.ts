import { describe, expect, it } from "vitest";
import type { Grant } from "../../../src/core/access/grant.ts";
import { SCOPES } from "../../../src/core/access/scopes.ts";
import {
  SESSION_IDLE_MS,
  SESSION_MS,
  sessionEndMs,
  sessionGrant,
  sessionScopes,
} from "../../../src/core/access/session.ts";
import { cookiePlace, readCookie, setCookie } from "../../../src/core/access/session-cookie.ts";

const token: Grant = { id: "t", name: "n", scopes: ["signals:read"], ecosystems: ["a"], expires_at: null };

describe("what a session may do", () => {
  it("is never more than its token may, and without act what only reads", () => {
    for (const scope of SCOPES) {
      const reading = sessionScopes({ scopes: [scope] }, false);
      expect(sessionScopes({ scopes: [scope] }, true)).toEqual([scope]);
      if (scope === "admin") expect(reading).toEqual(["signals:read", "tasks:read"]);
      else expect(reading).toEqual(["signals:read", "tasks:read"].filter((each) => each === scope));
    }
  });

  it("ends with the token where that is sooner, and is bound as the token is", () => {
    const session = { id: "s", act: true, createdMs: Date.parse("2026-01-01T00:00:00.000Z") };
    const bound = { ...token, hosts: ["gpu-*"] };
    expect(sessionGrant(bound, session)).toEqual({
      ...bound,
      expires_at: "2026-01-08T00:00:00.000Z",
      session: { id: "s", act: true },
    });
    const soon = "2026-01-02T00:00:00.000Z";
    expect(sessionGrant({ ...token, expires_at: soon }, session).expires_at).toBe(soon);
  });
});

describe("the end of a session", () => {
  it("comes after a time without use, and after a longer one in any case", () => {
    expect(sessionEndMs({ createdMs: 0, usedMs: 5 })).toBe(5 + SESSION_IDLE_MS);
    expect(sessionEndMs({ createdMs: 0, usedMs: SESSION_MS - 1 })).toBe(SESSION_MS);
  });
});

describe("the cookie of a session", () => {
  it.each([
    ["ganglion.example", true, "__Host-ganglion", true],
    ["ganglion.example:8443", true, "__Host-ganglion", true],
    // A proxy ends TLS before the edge.
    ["ganglion.example", false, "__Host-ganglion", true],
    ["127.0.0.1:8787", true, "__Host-ganglion", true],
    ["127.0.0.1:8787", false, "ganglion-8787", false],
    ["localhost", false, "ganglion-80", false],
    ["[::1]:9000", false, "ganglion-9000", false],
    ["edge.localhost:1", false, "ganglion-1", false],
  ])("of %s, with TLS %s, is %s", (host, https, name, secure) => {
    expect(cookiePlace(host, https)).toEqual({ name, secure });
  });

  it.each([
    ["a=1; ganglion-1=x; b=2", "x"],
    ["ganglion-1=x", "x"],
    ["ganglion-1 = x", "x"],
    ["xganglion-1=y", undefined],
    ["ganglion-1=", undefined],
    ["ganglion-1", undefined],
    ["ganglion-1=x; ganglion-1=y", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("is read from %j as %j", (header, value) => expect(readCookie(header, "ganglion-1")).toBe(value));

  it("is kept for 7 days, and is taken away by an empty one of the same place", () => {
    const place = cookiePlace("edge.example", true);
    expect(setCookie(place, "x")).toBe("__Host-ganglion=x; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict; Secure");
    expect(setCookie(place, "")).toContain("__Host-ganglion=; Path=/; Max-Age=0;");
  });
});
