import { describe, expect, test } from "vitest";
import type { Grant } from "../../../src/core/access/grant.ts";
import { SCOPES } from "../../../src/core/access/scopes.ts";
import { needOfEffect, needsOfRule, refusedReach } from "../../../src/core/federation/author-rights.ts";
import fc from "../../fast-check.ts";
import { aRule } from "../policy/a-signal.ts";

const NOW = Date.UTC(2026, 0, 1);
const grant: Grant = { id: "t1", name: "t", scopes: [], ecosystems: [], expires_at: null };
const needs = (rule: object) => needsOfRule(aRule(rule), "home").map(([at, need]) => [at, need.ecosystem, need.scope]);

describe("needs of a rule in other ecosystems", () => {
  test("are the right to emit where it forwards to, and the right to enqueue where its queue lies", () => {
    const task = { recipient: "'r'", type: "t" };
    expect(
      needs({
        then: [
          { forward: { ecosystem: "fleet" } },
          { enqueue: { queue: "fleet/jobs", ...task } },
          { enqueue: { queue: "fleet/hosts", ...task } },
          { enqueue: { queue: "jobs", ...task } },
          { enqueue: { queue: "home/jobs", ...task } },
        ],
      }),
    ).toEqual([
      ["/then/0/forward/ecosystem", "fleet", "signals:write"],
      ["/then/1/enqueue/queue", "fleet", "tasks:write"],
      ["/then/2/enqueue/queue", "fleet", "hosts:command"],
    ]);
  });

  test("are those of an administrator for signals that the edge alone emits", () => {
    const via = { ecosystem: "home", seq: 1, id: "a", signal: "Q_AGENT_DOWN", source: "s" };
    const forward = { kind: "forward" as const, ecosystem: "fleet", facts: {}, timestamp: "", via };
    expect(needOfEffect({ ...forward, signal: "Q_AGENT_DOWN" }, "home")?.scope).toBe("admin");
    expect(needOfEffect({ ...forward, signal: "Q_HOST_LOST" }, "home")?.scope).toBe("signals:write");
    expect(needs({ then: [{ forward: { ecosystem: "fleet", signal: "Q_AGENT_UP" } }] })).toEqual([
      ["/then/0/forward/ecosystem", "fleet", "admin"],
    ]);
  });
});

describe("reach of a rule's author", () => {
  test("is refused for every token but those that may write rules here and do the effect there", () => {
    const tokens = fc.record({
      scopes: fc.subarray([...SCOPES]),
      ecosystems: fc.subarray(["home", "fleet", "*", "other"]),
      expires: fc.constantFrom(null, -1, 1),
      sources: fc.constantFrom(undefined, ["a-*"]),
      hosts: fc.constantFrom(undefined, ["h1"]),
      need: fc.constantFrom("signals:write" as const, "tasks:write" as const, "hosts:command" as const),
    });
    fc.assert(
      fc.property(tokens, ({ scopes, ecosystems, expires, sources, hosts, need }) => {
        const bound = { ...(sources && { sources }), ...(hosts && { hosts }) };
        const expires_at = expires === null ? null : new Date(NOW + expires).toISOString();
        const token: Grant = { ...grant, scopes, ecosystems, expires_at, ...bound };
        const has = (scope: string, eco: string) =>
          (scopes as string[]).some((one) => one === scope || one === "admin") &&
          (ecosystems.includes("*") || ecosystems.includes(eco));
        const free = need === "signals:write" ? !sources : need === "hosts:command" ? !hosts : true;
        const allowed = expires !== -1 && has("policy:write", "home") && has(need, "fleet") && free;
        const reason = refusedReach(token, { ecosystem: "fleet", scope: need }, "home", NOW);
        expect(reason === undefined).toBe(allowed);
      }),
    );
    expect(refusedReach(null, { ecosystem: "fleet", scope: "signals:write" }, "home", NOW)).toContain(
      "put the rule again",
    );
  });
});
