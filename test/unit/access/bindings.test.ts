import { describe, expect, it } from "vitest";
import { bindingsOf, isBoundTo, readBindings, writeBindings } from "../../../src/core/access/bindings.ts";
import type { Grant } from "../../../src/core/access/grant.ts";
import { expiryErrors, NewToken } from "../../../src/core/access/new-token.ts";
import type { Scope } from "../../../src/core/access/scopes.ts";
import { workableRecipients } from "../../../src/core/access/work-rights.ts";

const wanted = { name: "n", scopes: ["tasks:work"], ecosystems: ["*"] };

describe("the names that a token is bound to", () => {
  it("allow every name where the token has no such list, and none where the list is empty", () => {
    expect(isBoundTo(undefined, "gpu-01")).toBe(true);
    expect(isBoundTo([], "gpu-01")).toBe(false);
  });

  it("are exact, or the beginning of names where they end with a star", () => {
    const names = ["gpu-01", "review-*"];
    expect(["gpu-01", "review-", "review-a"].map((name) => isBoundTo(names, name))).toEqual([true, true, true]);
    expect(["gpu-011", "GPU-01", "gpu", "revie", "", "*"].map((name) => isBoundTo(names, name))).not.toContain(true);
    expect(isBoundTo(["*"], "*")).toBe(true);
  });

  it("reach an object as they are, without the lists that the token lacks", () => {
    const bindings = { hosts: ["gpu-01"], recipients: [] };
    expect(readBindings(writeBindings(bindings))).toEqual(bindings);
    expect(readBindings(null)).toEqual({});
    expect(bindingsOf({ hosts: null, sources: undefined, recipients: ["a", "a"] })).toEqual({ recipients: ["a"] });
  });
});

describe("a request for a token", () => {
  it.each([
    [{ hosts: ["gpu-01"], sources: ["gpu-*"], recipients: ["*"] }],
    [{ hosts: null, sources: null, recipients: null }],
    [{}],
  ])("may bind the token to names by %j", (bindings) => {
    expect(NewToken.safeParse({ ...wanted, ...bindings }).success).toBe(true);
  });

  it.each([
    [{ hosts: [] }, "hosts"],
    [{ hosts: "gpu-01" }, "hosts"],
    [{ sources: ["*x"] }, "sources"],
    [{ recipients: ["a**"] }, "recipients"],
    [{ recipients: ["x".repeat(257)] }, "recipients"],
    [{ recipients: Array.from({ length: 33 }, (_, n) => `r${n}`) }, "recipients"],
    [{ hosts: Array.from({ length: 8 }, (_, n) => `${n}`.repeat(200)) }, "hosts"],
  ])("is refused for bindings such as %j", (bindings, field) => {
    const parsed = NewToken.safeParse({ ...wanted, ...bindings });
    expect(parsed.error?.issues[0]?.path[0]).toBe(field);
  });

  it("is refused where the token would have expired already, with the time in the message", () => {
    const nowMs = Date.parse("2026-01-31T12:00:00Z");
    const errors = (expires_at: string | null) => expiryErrors(NewToken.parse({ ...wanted, expires_at }), nowMs);
    expect(errors("2026-01-31T12:00:00Z")).toEqual([
      { pointer: "/expires_at", message: expect.stringContaining("2026-01-31T12:00:00.000Z has passed") },
    ]);
    expect(errors("2026-01-31T12:00:01Z")).toEqual([]);
    expect(errors(null)).toEqual([]);
  });
});

describe("the recipients that a token may work for", () => {
  const grant = (scopes: Scope[], more: Partial<Grant> = {}): Grant => ({
    id: "g",
    name: "g",
    scopes,
    ecosystems: ["*"],
    expires_at: null,
    ...more,
  });

  it("are those it is bound to, and all where it is bound to none", () => {
    expect(workableRecipients(grant(["tasks:work"], { recipients: ["coder"] }), false)).toEqual(["coder"]);
    expect(workableRecipients(grant(["tasks:work"], { hosts: ["gpu-01"] }), false)).toBeUndefined();
  });

  it("are, of commands, the token's hosts alone", () => {
    const bound = grant(["tasks:work", "signals:read", "signals:write"], { hosts: ["gpu-01"], recipients: ["*"] });
    expect(workableRecipients(bound, true)).toEqual(["gpu-01"]);
  });

  it("are, of commands, none for a worker's token and all for an agent's or an administrator's that is not bound", () => {
    expect(workableRecipients(grant(["tasks:work"]), true)).toEqual([]);
    expect(workableRecipients(grant(["tasks:work", "tasks:write", "signals:read"]), true)).toEqual([]);
    expect(workableRecipients(grant(["tasks:work"], { recipients: ["*"] }), true)).toEqual([]);
    expect(workableRecipients(grant(["tasks:work", "signals:read", "signals:write"]), true)).toBeUndefined();
    expect(workableRecipients(grant(["admin"]), true)).toBeUndefined();
  });
});
