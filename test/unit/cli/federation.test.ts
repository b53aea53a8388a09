import { describe, expect, it } from "vitest";
import type { AttentionItem, AttentionPage } from "../../../src/core/attention/api.ts";
import type { BridgeView } from "../../../src/core/federation/bridge.ts";
import type { Lineage } from "../../../src/core/lineage/api.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const AT = "2026-01-31T12:00:00.000Z";
const bridge: BridgeView = {
  name: "alerts",
  to: "fleet",
  signals: ["Q_HEALTH_*"],
  enabled: true,
  description: "",
  changed_at: AT,
  changed_by: "me",
  waiting: 3,
};
const item = (ecosystem: string, severity: AttentionItem["severity"]): AttentionItem => ({
  id: `host_down/${ecosystem}`,
  cause: `host_down/${ecosystem}`,
  ecosystem,
  kind: "host_down",
  severity,
  subject: `gpu-${ecosystem}`,
  what: "the host is down",
  why: "the host has lost its link",
  since: AT,
  consequence: "its tasks wait",
  next_step: `ganglion hosts gpu-${ecosystem}`,
  action: null,
  chain: null,
  effects: [],
  effects_total: 0,
});

describe("ganglion bridges", () => {
  it("lists the bridges of the ecosystem", async () => {
    const edge = await startEdge(() => [200, { bridges: [bridge] }]);
    const { out } = await ganglion(["--ecosystem", "site", "bridges", "--url", edge.url]);
    expect(out).toMatch(/NAME +TO +ENABLED +WAITING.*\nalerts +fleet +yes +3 +me +Q_HEALTH_\*/);
    expect(edge.received[0]?.url.pathname).toBe("/v1/site/bridges");
  });

  it("puts and deletes a bridge", async () => {
    const edge = await startEdge(({ method }) => (method === "PUT" ? [200, bridge] : [204, undefined]));
    const put = ["put", "alerts", "--to", "fleet", "--signals", "Q_A", "Q_B", "--where", "facts.n > 1", "--as", "Q_C"];
    await ganglion(["bridges", ...put, "--url", edge.url]);
    await ganglion(["bridges", "delete", "alerts", "--url", edge.url]);
    expect(edge.received.map(({ method, url, body }) => [method, url.pathname, body])).toEqual([
      [
        "PUT",
        "/v1/default/bridges/alerts",
        { to: "fleet", signals: ["Q_A", "Q_B"], where: "facts.n > 1", signal: "Q_C", enabled: true },
      ],
      ["DELETE", "/v1/default/bridges/alerts", undefined],
    ]);
  });
});

describe("ganglion attention", () => {
  it("of all ecosystems reads every page, and sorts what they hold together", async () => {
    const page = (ecosystem: string, severity: AttentionItem["severity"], next: string | null): AttentionPage => ({
      items: [item(ecosystem, severity)],
      total: 1,
      critical: 1,
      left_out: 0,
      unread: [],
      ecosystems: [{ name: ecosystem, items: 1, worst: severity, last_active_at: AT }],
      checked_at: AT,
      next,
    });
    const edge = await startEdge(({ url }) => [
      200,
      url.searchParams.get("after") === "a" ? page("b", "critical", null) : page("a", "warning", "a"),
    ]);
    const { out } = await ganglion(["attention", "--all-ecosystems", "--url", edge.url]);
    expect(
      out
        .trimEnd()
        .split("\n")
        .map((line) => line.split(/ +/)[0]),
    ).toEqual(["ECOSYSTEM", "b", "a"]);
    const { out: json } = await ganglion(["attention", "--all-ecosystems", "--json", "--url", edge.url]);
    expect(JSON.parse(json)).toMatchObject({ ecosystems: [{ name: "a" }, { name: "b" }], next: null });
  });

  it("of one ecosystem says where nothing needs somebody", async () => {
    const edge = await startEdge(() => [200, { items: [], checked_at: AT }]);
    const { code, err } = await ganglion(["attention", "--url", edge.url]);
    expect([code, err.trim()]).toEqual([0, "nothing needs somebody"]);
  });
});

describe("ganglion explain across ecosystems", () => {
  const signal = (ecosystem: string, name: string, id: string): Signal => ({
    seq: 7,
    id,
    signal: name,
    source: "s",
    ecosystem,
    facts: {},
    timestamp: AT,
    received_at: AT,
  });
  const via = { ecosystem: "site", seq: 7, id: "first", signal: "Q_A", source: "s" };
  const forward = { forward_id: "ganglion.bridge-site.e.1", ecosystem: "fleet", signal: "Q_A" };
  const decision = {
    id: "d1",
    rule: "bridge-up",
    rule_version: 1,
    outcome: "fired" as const,
    signal: { seq: 7, id: "first", signal: "Q_A" },
    decided_at: AT,
    values: {},
    effects: [forward.forward_id],
    forwards: [forward],
  };
  const empty = { causes: [], effects: [], tasks: [], deliveries: [], dead_letters: [], truncated: false };

  it("prints the chain of each ecosystem, the first of them first, and where the token may not read", async () => {
    const part = { ecosystem: "site", via, readable: true, signals: [signal("site", "Q_A", "first")] };
    const hidden = { ecosystem: "lab", via: { ...via, ecosystem: "lab", id: "x" }, readable: false, signals: [] };
    const lineage: Lineage = {
      ...empty,
      signal: { ...signal("fleet", "Q_A", forward.forward_id), via },
      decisions: [],
      upstream: [
        { ...part, decisions: [decision] },
        { ...hidden, decisions: [] },
      ],
    };
    const edge = await startEdge(() => [200, lineage]);
    const { out } = await ganglion(["explain", forward.forward_id, "--url", edge.url]);
    expect(out.trimEnd().split("\n").slice(0, -1)).toEqual([
      "in the ecosystem lab:",
      "Q_A  x: the token may not read signals there",
      "in the ecosystem site:",
      `Q_A  ${AT}  s  first  {}`,
      `└─ rule bridge-up v1 fired  ${AT}`,
      "   └─ forwarded to fleet as Q_A  ganglion.bridge-site.e.1",
      "in the ecosystem fleet:",
    ]);
    expect(out).toContain("◀ asked");
  });

  it("prints in the source what was forwarded, and whether it is there", async () => {
    const told = { ...forward, cause: "first", rule: "bridge-up", state: "arrived" as const, seq: 12 };
    const lineage: Lineage = {
      ...empty,
      signal: signal("site", "Q_A", "first"),
      decisions: [decision],
      forwards: [told],
    };
    const edge = await startEdge(({ url }) => [200, url.pathname.endsWith("/policies") ? { policies: [] } : lineage]);
    const { out } = await ganglion(["explain", "first", "--url", edge.url]);
    expect(out).toContain("forwarded to fleet as Q_A: there as seq 12  ganglion.bridge-site.e.1");
  });
});
