import { describe, expect, it } from "vitest";
import { authorise, type Grant } from "../../../src/core/access/grant.ts";
import { NewToken } from "../../../src/core/access/new-token.ts";
import { SCOPES } from "../../../src/core/access/scopes.ts";

const nowMs = Date.parse("2026-01-01T00:00:00Z");
const grant = (change: Partial<Grant>): Grant => ({
  id: "g",
  name: "g",
  scopes: ["signals:read"],
  ecosystems: ["mine"],
  expires_at: null,
  ...change,
});

describe("authorise", () => {
  it("allows a scope in an ecosystem when the token names both", () => {
    expect(authorise(grant({}), "signals:read", "mine", nowMs)).toBe("allowed");
  });

  it("refuses another scope, another ecosystem, and calls that belong to no ecosystem", () => {
    expect(authorise(grant({}), "signals:write", "mine", nowMs)).toBe("no_scope");
    expect(authorise(grant({}), "signals:read", "yours", nowMs)).toBe("no_ecosystem");
    expect(authorise(grant({}), "signals:read", undefined, nowMs)).toBe("no_ecosystem");
  });

  it("lets * stand for every ecosystem and for the calls that belong to none", () => {
    const all = grant({ ecosystems: ["*"] });
    expect([authorise(all, "signals:read", "any", nowMs), authorise(all, "signals:read", undefined, nowMs)]).toEqual([
      "allowed",
      "allowed",
    ]);
  });

  it("lets admin imply every scope, but no ecosystem that is not named", () => {
    const admin = grant({ scopes: ["admin"] });
    for (const scope of SCOPES) expect(authorise(admin, scope, "mine", nowMs)).toBe("allowed");
    expect(authorise(admin, "admin", "yours", nowMs)).toBe("no_ecosystem");
  });

  it("refuses from the moment of expiry on, and takes an unreadable time as past", () => {
    const until = (expires_at: string) => authorise(grant({ expires_at }), "signals:read", "mine", nowMs);
    expect(until("2026-01-01T00:00:00.001Z")).toBe("allowed");
    expect(until("2026-01-01T00:00:00.000Z")).toBe("expired");
    expect(until("never")).toBe("expired");
  });
});

describe("NewToken", () => {
  it("refuses unknown scopes and invalid names of ecosystems", () => {
    const wanted = { name: "n", scopes: ["admin"], ecosystems: ["*"] };
    expect(NewToken.safeParse(wanted).success).toBe(true);
    expect(NewToken.safeParse({ ...wanted, scopes: ["root"] }).success).toBe(false);
    expect(NewToken.safeParse({ ...wanted, ecosystems: ["*x"] }).success).toBe(false);
    expect(NewToken.safeParse({ ...wanted, admin: true }).success).toBe(false);
  });
});
