import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const policy = {
  id: "hot",
  version: 3,
  description: "",
  enabled: true,
  priority: 5,
  when: ["Q_A", "Q_B"],
  rate: { n: 100, per: "1m" },
  then: [{ emit: { signal: "Q_HOT", facts: {} } }, { webhook: { endpoint: "e" } }],
  expect: { signal: ["Q_COOL"], within: "10m", else: [{ webhook: { endpoint: "e" } }] },
  built_in: true,
  modified: true,
  changed_at: "2026-01-01T00:00:00.000Z",
  changed_by: "me",
};

const changes = { created: [], changed: ["hot"], unchanged: [], deleted: [], after_seq: 3 };

function fileWith(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), "ganglion-policy-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, "rules.yaml"), text);
  return join(directory, "rules.yaml");
}

/** A few lines that stand for a billion. */
const ALIASES_OF_ALIASES = Array.from({ length: 10 }, (_, level) =>
  level === 0
    ? "l0: &l0 [x]"
    : `l${level}: &l${level} [${Array(9)
        .fill(`*l${level - 1}`)
        .join(",")}]`,
).join("\n");

describe("ganglion policy", () => {
  it("lists the rules with their effects", async () => {
    const edge = await startEdge(() => [200, { policies: [policy] }]);
    const { out } = await ganglion(["policy", "--url", edge.url]);
    expect(out).toMatch(/^hot +3 +yes +built-in, changed +Q_A Q_B +Q_HOT, webhook e, expect Q_COOL in 10m$/m);
  });

  it("shows a rule in the form of a rule file", async () => {
    const edge = await startEdge(() => [200, { policy, versions: [] }]);
    const { out, err } = await ganglion(["policy", "show", "hot", "--url", edge.url]);
    expect(out).toMatch(/^id: hot$/m);
    expect(out).not.toContain("built_in");
    expect(err).toBe("# built-in rule, changed at 2026-01-01T00:00:00.000Z by me\n");
  });

  it("puts the rules of its standard input", async () => {
    const edge = await startEdge(({ method }) => [200, method === "PATCH" ? changes : { policies: [policy] }]);
    const input = "id: hot\nwhen: Q_A\nthen: [{ emit: { signal: Q_HOT } }]\n";
    const { out, code } = await ganglion(["policy", "put", "-", "--url", edge.url], { input });
    expect([out, code]).toEqual(["hot is in force, version 3\n", 0]);
    expect(edge.received[0]?.body).toEqual({ policies: [expect.objectContaining({ id: "hot", when: ["Q_A"] })] });
  });

  it("prints the warnings of the rules that it put, and puts them all the same", async () => {
    const warnings = [{ policy: "hot", pointer: "/then/1/webhook/endpoint", message: 'no webhook endpoint "e"' }];
    const answer = { ...changes, warnings };
    const edge = await startEdge(({ method }) => [200, method === "PATCH" ? answer : { policies: [policy] }]);
    const input = "id: hot\nwhen: Q_A\nthen: [{ webhook: { endpoint: e } }]\n";
    const { out, err, code } = await ganglion(["policy", "put", "-", "--url", edge.url], { input });
    expect(err).toBe('warning: hot /then/1/webhook/endpoint: no webhook endpoint "e"\n');
    expect({ out, code }).toEqual({ out: "hot is in force, version 3\n", code: 0 });
  });

  it("puts all rules of a file, or several documents, by one call", async () => {
    const edge = await startEdge(({ method }) => [
      200,
      method === "PATCH" ? changes : { policies: [policy, { ...policy, id: "b" }, { ...policy, id: "a" }] },
    ]);
    const emits = "then: [{ emit: { signal: Q_HOT } }]";
    const file = fileWith(
      `policies:\n  - { id: a, when: Q_A, ${emits} }\n---\nid: b\nversion: 2\nwhen: Q_B\n${emits}\n`,
    );
    const { out, code } = await ganglion(["policy", "put", file, "--url", edge.url]);
    expect([out, code]).toEqual(["b is in force, version 3\na is in force, version 3\n", 0]);
    expect(edge.received.map(({ method, url }) => [method, url.pathname])).toEqual([
      ["PATCH", "/v1/default/policies"],
      ["GET", "/v1/default/policies"],
    ]);
    const then = [{ emit: { signal: "Q_HOT", facts: {} } }];
    expect(edge.received[0]?.body).toEqual({
      policies: [
        expect.objectContaining({ id: "a", when: ["Q_A"], then }),
        expect.objectContaining({ id: "b", when: ["Q_B"], then, version: 2 }),
      ],
    });
    expect(JSON.stringify(edge.received[0]?.body)).not.toContain('"version":3');
  });

  it.each([
    ["id: [", "rules.yaml:1:6: Flow sequence"],
    ["- 1", "rules.yaml:1:3: /0: give an object, not a number"],
    ["when: Q_A\nthen: []", "rules.yaml:1:1: /id: id is required: give a text"],
    ["", "rules.yaml: the file holds no rule"],
    [
      "id: a\nwhen: Q_A\ncooldwn: 1h\nthen: [{ emit: { signal: Q_B } }]",
      "rules.yaml:3:1: /cooldwn: unknown field: did you mean cooldown?",
    ],
    [
      "id: a\nwhen: Q_A\nthen: [{ webhook: { endpoint: e } }]\n---\nid: b\nwhen: Q_A\nthen: [{ emit: { signal: Q_B } }]\nwhere: facts.x >",
      "rules.yaml:8:1: /where: line 1, column 10: Unexpected token",
    ],
    ["a: &a [1]\nb: *c", "rules.yaml:1:1: Unresolved alias"],
    [ALIASES_OF_ALIASES, "Excessive alias count"],
    [
      "id: a\nwhen: !!js/function 'function () { return 1 }'\nthen: []",
      "rules.yaml:2:1: /when: give a pattern of signal names",
    ],
    [
      "- &r { id: a, when: Q_A, then: [{ webhook: { endpoint: e } }] }\n- *r",
      'rules.yaml:2:3: /1/id: another rule of the file has the id "a"',
    ],
  ])("refuses a file that holds %j before anything is put", async (text, message) => {
    const edge = await startEdge(() => [200, policy]);
    const { err, code } = await ganglion(["policy", "put", fileWith(text), "--url", edge.url]);
    expect(err).toContain(message);
    expect([code, edge.received.length]).toEqual([1, 0]);
  });

  it("disables a rule, and brings a changed built-in rule back to its original", async () => {
    const edge = await startEdge(({ method }) => [200, method === "DELETE" ? changes : { ...policy, enabled: false }]);
    expect((await ganglion(["policy", "disable", "hot", "--url", edge.url])).out).toBe("hot is disabled, version 3\n");
    expect((await ganglion(["policy", "delete", "hot", "--url", edge.url])).out).toBe("hot is back to its original\n");
    expect(edge.received.map(({ method, body }) => [method, body])).toEqual([
      ["PATCH", { enabled: false }],
      ["DELETE", undefined],
    ]);
  });
});

describe("ganglion policy packs", () => {
  const rules = ["promotions-to-dream", "gap-to-investigation", "investigation", "queue-alerts"].map((id) => ({
    ...policy,
    id,
    enabled: id !== "investigation",
  }));
  const anEdge = () =>
    startEdge(({ method, url }) => {
      const id = url.pathname.split("/").at(-1);
      return method === "PATCH" ? [200, { ...policy, id, enabled: false }] : [200, { policies: rules }];
    });

  it("lists the packs of built-in rules, as far as the edge knows them", async () => {
    const edge = await anEdge();
    const { out } = await ganglion(["policy", "packs", "--json", "--url", edge.url]);
    expect(
      out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      {
        pack: "self-improvement",
        enabled: ["promotions-to-dream", "gap-to-investigation"],
        disabled: ["investigation"],
      },
      { pack: "operations", enabled: ["queue-alerts"], disabled: [] },
    ]);
  });

  it("switches the rules of a pack that are on, by one command", async () => {
    const edge = await anEdge();
    const { out, code } = await ganglion(["policy", "packs", "disable", "self-improvement", "--url", edge.url]);
    expect([code, out]).toEqual([
      0,
      "self-improvement is disabled: promotions-to-dream, gap-to-investigation changed\n",
    ]);
    const patched = edge.received.filter(({ method }) => method === "PATCH");
    expect(patched.map(({ url, body }) => [url.pathname.split("/").at(-1), body])).toEqual([
      ["promotions-to-dream", { enabled: false }],
      ["gap-to-investigation", { enabled: false }],
    ]);
    const wrong = await ganglion(["policy", "packs", "disable", "dreams", "--url", edge.url]);
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('No pack "dreams"')]);
  });
});

describe("ganglion expectations", () => {
  it("shows the awaited signals, and that there are more", async () => {
    const one = {
      rule: "hot",
      by: "h1",
      signal: ["Q_COOL"],
      since: "2026-01-01T00:00:00.000Z",
      due: "2026-01-01T00:10:00.000Z",
      cause: { seq: 7, id: "s7", signal: "Q_A" },
    };
    const edge = await startEdge(() => [200, { expectations: [one], total: 2, next: "n" }]);
    const { out, err } = await ganglion(["expectations", "--rule", "hot", "--url", edge.url]);
    expect(out).toMatch(/^2026-01-01T00:10:00.000Z +hot +Q_COOL +h1 +2026-01-01T00:00:00.000Z +Q_A \(7\)$/m);
    expect(err).toBe("2 in all; continue with --after n\n");
    expect(edge.received[0]?.url.search).toBe("?rule=hot");
  });
});
