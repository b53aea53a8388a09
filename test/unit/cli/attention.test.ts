import { describe, expect, it } from "vitest";
import { createClient } from "../../../src/client/client.ts";
import { openSocketSource } from "../../../src/client/stream/socket-source.ts";
import type { Attention, AttentionItem } from "../../../src/core/attention/api.ts";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const AT = "2026-01-31T12:00:00.000Z";
const item = (id: string): AttentionItem => ({
  id,
  cause: id,
  ecosystem: "e",
  kind: "host_down",
  severity: "critical",
  subject: "gpu-01",
  what: "the host gpu-01 is down",
  why: "the host has lost its link",
  since: AT,
  consequence: "its tasks wait",
  next_step: "ganglion hosts gpu-01",
  action: null,
  chain: null,
  effects: ["coder on gpu-01 hangs"],
  effects_total: 1,
});
const list = (...items: AttentionItem[]): Attention => ({
  items,
  checked_at: AT,
  total: items.length,
  critical: items.length,
  left_out: 0,
  unread: [],
});

describe("ganglion attention", () => {
  it("counts what follows from each cause, and names what is not in the list", async () => {
    const edge = await startEdge(() => [200, { ...list(item("a")), left_out: 3, unread: ["webhooks"] }]);
    for (const name of ["attention", "problems"]) {
      const { out, err } = await ganglion([name, "--url", edge.url]);
      expect(out).toMatch(/EFFECTS +WHY.*\ncritical +host_down +gpu-01 +\S+ +1 +the host has lost its link/);
      expect(err).toBe("3 more causes are left out: see to the first ones\nnot looked at: webhooks\n");
    }
  });

  it("reads the list of an older edge, which groups nothing", async () => {
    const {
      cause: _,
      what: __,
      consequence: ___,
      action: ____,
      chain: _____,
      effects_total: ______,
      ...older
    } = item("a");
    const edge = await startEdge(() => [200, { items: [older], checked_at: AT }]);
    const { out } = await ganglion(["attention", "--json", "--url", edge.url]);
    expect(JSON.parse(out)).toMatchObject({
      items: [{ id: "a", action: null, effects_total: 0 }],
      total: 0,
      unread: [],
    });
  });

  it("watches one ecosystem alone", async () => {
    const { code, err } = await ganglion(["attention", "--watch", "--all-ecosystems", "--url", "http://127.0.0.1:9"]);
    expect([code, err]).toEqual([2, expect.stringContaining("--watch shows one ecosystem")]);
  });
});

describe("watching what needs somebody", () => {
  it("gives the list at first, and again when a signal of the stream tells of a change, and not while it stays the same", async () => {
    let now = list(item("a"));
    const edge = await startEdge(({ url }) =>
      url.pathname.endsWith("/attention") ? [200, now] : [200, { signals: [], next: null }],
    );
    const client = createClient({ url: edge.url, token: "t", ecosystem: "e", openSource: openSocketSource });
    const stopping = new AbortController();
    // Long enough that only the stream leads to a look.
    const watch = client.attention.watch({ signal: stopping.signal, lookEveryMs: 1_000_000 });
    const ids = async () => (await watch.next()).value?.items.map(({ id }) => id);
    expect(await ids()).toEqual(["a"]);
    const changed = ids();
    const stream = await edge.nextStream();
    expect(stream.url.searchParams.getAll("signal")).toContain("Q_AGENT_DOWN");
    const looks = () => edge.received.filter(({ url }) => url.pathname.endsWith("/attention")).length;
    now = list();
    const signal = { seq: 1, id: "s", signal: "Q_AGENT_UP", source: "g", ecosystem: "e", facts: {}, timestamp: AT };
    stream.send({ type: "signals", last: 1, signals: [{ ...signal, received_at: AT }] });
    expect(await changed).toEqual([]);
    expect(looks()).toBeLessThanOrEqual(3);
    const ended = watch.next();
    stopping.abort();
    expect((await ended).done).toBe(true);
    await stream.closed;
  });

  it("ends with the refusal of its first look", async () => {
    const edge = await startEdge(() => [403, { type: "/problems/no-scope", title: "no such right", status: 403 }]);
    const watch = createClient({ url: edge.url, token: "t" }).attention.watch();
    await expect(watch.next()).rejects.toThrow("no such right");
  });
});
