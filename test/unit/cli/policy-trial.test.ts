import { globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

function folder(files: Record<string, string>): string {
  const path = mkdtempSync(join(tmpdir(), "ganglion-policy-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

const RULE = `
id: pong
when: Q_PING
where: facts.n > 1.0
then:
  - emit: { signal: Q_PONG, facts: { n: facts.n } }
`;
const CASES = `
rules: rule.yaml
cases:
  - name: two is enough
    given:
      - { at: 0s, signal: Q_PING, facts: { n: 1 } }
      - { at: 1s, signal: Q_PING, facts: { n: 2 } }
    then:
      - { at: 1s, emit: { signal: Q_PONG, facts: { n: 2 } } }
`;
const deployed = {
  id: "pong",
  version: 3,
  description: "",
  enabled: true,
  priority: 5,
  when: ["Q_PING"],
  rate: { n: 100, per: "1m" },
  then: [{ emit: { signal: "Q_PONG", facts: { n: "facts.n" } } }],
  built_in: false,
  modified: false,
  changed_at: "2026-01-01T00:00:00.000Z",
  changed_by: "me",
};
const ping = (n: number) => ({
  seq: n,
  id: `p${n}`,
  signal: "Q_PING",
  source: "s",
  ecosystem: "default",
  facts: { n },
  timestamp: `2026-01-01T00:00:0${n}.000Z`,
  received_at: `2026-01-01T00:00:0${n}.000Z`,
});

describe("ganglion policy test", () => {
  it("passes on all the examples", async () => {
    const files = globSync("examples/policies/*.test.yaml", { cwd: ROOT }).map((file) => join(ROOT, file));
    expect(files.length).toBeGreaterThan(1);
    const { code, out, err } = await ganglion(["policy", "test", ...files]);
    expect([code, out.includes("FAIL")], out + err).toEqual([0, false]);
  });

  it("shows the expected and the actual events, with the place in the file", async () => {
    const wrong = CASES.replace("facts: { n: 2 } } }", "facts: { n: 3 } } }");
    const path = folder({ "rule.yaml": RULE, "a.test.yaml": wrong });
    const { code, out, err } = await ganglion(["policy", "test", "a.test.yaml"], { cwd: path });
    expect([code, err]).toEqual([1, "0 of 1 case passed\n"]);
    expect(out).toContain("FAIL  two is enough  (a.test.yaml:4:5)");
    expect(out).toContain('- at 1s: emit {"signal":"Q_PONG","facts":{"n":3}}');
    expect(out).toContain('+ at 1s: emit {"signal":"Q_PONG","facts":{"n":2}} by pong');
  });

  it("is strict about effects that nobody expected, and about rules that fail", async () => {
    const none = `${CASES.slice(0, CASES.indexOf("    then:"))}    then: []\n`;
    const failing = none.replaceAll("{ n: 1 }", "{}");
    const path = folder({ "rule.yaml": RULE, "none.test.yaml": none, "failing.test.yaml": failing });
    const run = async (file: string) => ganglion(["policy", "test", file, "--json"], { cwd: path });
    expect(JSON.parse((await run("none.test.yaml")).out)).toMatchObject({
      ok: false,
      lines: [{ kind: "unexpected", text: expect.stringContaining("emit") }],
    });
    expect(JSON.parse((await run("failing.test.yaml")).out)).toMatchObject({
      ok: false,
      lines: [{ kind: "unexpected", text: expect.stringContaining("failed") }, { kind: "unexpected" }],
    });
  });

  it.each([
    ["rule.yaml:6:5: /then/0/emitt", RULE.replace("- emit:", "- emitt:")],
    ["rule.yaml:4:1: /where", RULE.replace("facts.n > 1.0", "facts.n >")],
    ["rule.yaml:3:1: /wen", RULE.replace("when: Q_PING", "wen: Q_PING")],
    ["rule.yaml:5:1: Flow sequence", RULE.replace("facts.n > 1.0", "[")],
  ])("says where a rule is wrong: %s", async (at, text) => {
    const path = folder({ "rule.yaml": text, "a.test.yaml": CASES });
    const { code, err } = await ganglion(["policy", "test", "a.test.yaml"], { cwd: path });
    expect([code, err]).toEqual([1, expect.stringContaining(at)]);
  });
});

const changesOf = ({ policies }: { policies: { id: string }[] }) => ({
  created: [],
  changed: policies.map(({ id }) => id),
  unchanged: [],
  deleted: [],
  after_seq: 7,
});

describe("ganglion policy diff, simulate and apply", () => {
  const edge = () =>
    startEdge(({ method, url, body }) => {
      if (method === "PATCH") return [200, changesOf(body as { policies: { id: string }[] })];
      if (url.pathname.endsWith("/policies")) return [200, { policies: [deployed] }];
      if (url.pathname.endsWith("/decisions")) return [200, { decisions: [], next: null }];
      if (url.searchParams.get("order") === "desc") return [200, { signals: [], next: null }];
      return [200, { signals: [ping(1), ping(2)], next: null }];
    });

  it("shows the differences of the rules, and the decisions that would have been different", async () => {
    const { url } = await edge();
    const file = join(folder({ "rule.yaml": RULE }), "rule.yaml");
    const { code, out, err } = await ganglion([
      "policy",
      "diff",
      file,
      "--since",
      "2026-01-01T00:00:00Z",
      "--url",
      url,
    ]);
    const began = "initial state: empty (from 0 signals since 2025-12-31T23:59:00.000Z)";
    expect([code, err]).toEqual([0, `${began}\n2 signals processed\n`]);
    expect(out).toContain("~ pong  version 3 → 4\n    + where: facts.n > 1.0\n");
    expect(out).toContain("pong on Q_PING p1\n    - fired emit");
    expect(out).not.toContain("p2");
  });

  it("simulates a file, or a rule in force, and asks only for signals that matter", async () => {
    const fake = await edge();
    const file = join(folder({ "rule.yaml": RULE }), "rule.yaml");
    const args = ["--since", "2026-01-01T00:00:00Z", "--json", "--url", fake.url];
    const { out } = await ganglion(["policy", "simulate", file, ...args]);
    const answer = JSON.parse(out);
    expect(answer).toMatchObject({ signals: 2, outcomes: { pong: { fired: 1 } } });
    expect(answer.differences).toHaveLength(1);
    expect(fake.received.at(-1)?.url.searchParams.getAll("signal")).toEqual(["Q_PING"]);
    expect(answer.warm_up).toMatchObject({ from: "2025-12-31T23:59:00.000Z", complete: true, under_way: {} });
    const cold = JSON.parse((await ganglion(["policy", "simulate", file, "--warm-up", "0", ...args])).out);
    expect(cold.warm_up.from).toBe("2026-01-01T00:00:00.000Z");
    const own = JSON.parse((await ganglion(["policy", "simulate", "pong", ...args])).out);
    expect([own.outcomes.pong.fired, own.differences]).toEqual([2, []]);
    expect((await ganglion(["policy", "simulate", "nobody", ...args])).code).toBe(2);
    const backwards = await ganglion(["policy", "simulate", "pong", "--until", "2025-01-01T00:00:00Z", ...args]);
    expect([backwards.code, backwards.err]).toEqual([
      2,
      expect.stringContaining("is not after --since 2026-01-01T00:00:00.000Z: give a later one"),
    ]);
  });

  it("puts the different rules in force, with the version that was shown, and nothing without confirmation", async () => {
    const fake = await edge();
    const file = join(folder({ "rule.yaml": RULE }), "rule.yaml");
    const asked = await ganglion(["policy", "apply", file, "--url", fake.url]);
    expect([asked.code, asked.err]).toEqual([2, "ganglion: Not a terminal: add --yes to apply\n"]);
    expect(fake.received.some(({ method }) => method === "PATCH")).toBe(false);
    const { code, out } = await ganglion(["policy", "apply", file, "--yes", "--url", fake.url]);
    expect([code, out.split("\n").at(-2)]).toEqual([0, "pong is in force"]);
    const [change, more] = fake.received.filter(({ method }) => method === "PATCH");
    expect(change?.url.pathname).toBe("/v1/default/policies");
    expect(change?.body).toMatchObject({ policies: [{ id: "pong", where: "facts.n > 1.0", version: 3 }] });
    expect(more).toBeUndefined();
    const told = await ganglion(["policy", "apply", file, "--yes", "--json", "--url", fake.url]);
    expect(JSON.parse(told.out)).toMatchObject({ changed: ["pong"], after_seq: 7 });
  });
});
