import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { Agent } from "../../../local-agent/app/agent.ts";
import { MONITORING_FILES } from "../../../scripts/monitoring/files.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";
import { agentOptions } from "../app/agent-options.ts";
import { FakeEdge } from "../link/fake-edge.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function observed(port: number | null = 0, prepare: (directory: string) => void = () => {}) {
  const edge = await FakeEdge.listen();
  closing.push(() => edge.close());
  const directory = temporaryDirectory();
  prepare(directory);
  const options = {
    ...agentOptions(directory, edge.url),
    xsub: "tcp://127.0.0.1:1",
    xpub: "tcp://127.0.0.1:2",
    logger: silent,
    sources: ["intents"] as const,
    observability: { port },
  };
  const agent = new Agent(options);
  closing.push(() => agent.stop());
  await agent.start();
  const detail = () => agent.status.sources.find(({ name }) => name === "observability")?.detail ?? "";
  const get = (path: string) => fetch(new URL(path, detail()));
  return { edge, agent, directory, options, detail, get };
}

function drop(directory: string, name: string, text: string) {
  mkdirSync(join(directory, "intents"), { recursive: true });
  writeFileSync(join(directory, `intents/.${name}`), text);
  renameSync(join(directory, `intents/.${name}`), join(directory, `intents/${name}`));
}

/** The figure of one line, such as `ganglion_agent_intents_total{outcome="routed"}`. */
function figure(text: string, line: string): number {
  const found = text.split("\n").find((each) => each.startsWith(`${line} `));
  return Number(found?.slice(line.length));
}

describe("observability", () => {
  it("serves the metrics of the agent as OpenMetrics, with those that alerts and dashboards name", async () => {
    const { edge, directory, get } = await observed();
    drop(directory, "a.json", '{"id":"1","type":"ask","data":{"question":"Why?"}}');
    drop(directory, "b.json", '{"id":"2","type":"unknown.to.us"}');
    await edge.when(() => edge.log.length === 1);
    const now = async (line: string) => figure(await (await get("/metrics")).text(), line);
    await expect.poll(() => now('ganglion_agent_spool_signals{lane="local"}')).toBe(0);
    await expect.poll(() => now('ganglion_agent_intents_total{outcome="dead"}')).toBe(1);
    const response = await get("/metrics");
    expect(response.headers.get("content-type")).toMatch(/^application\/openmetrics-text; version=1\.0\.0/);
    const text = await response.text();
    expect(text.trimEnd().endsWith("# EOF")).toBe(true);
    expect(text).toContain("# TYPE ganglion_agent_intents counter");
    expect(figure(text, 'ganglion_agent_signals_taken_total{lane="local"}')).toBe(1);
    expect(figure(text, 'ganglion_agent_intents_total{outcome="routed"}')).toBe(1);
    expect(figure(text, 'ganglion_agent_intents_total{outcome="dead"}')).toBe(1);
    expect(figure(text, 'ganglion_agent_link_state{state="connected"}')).toBe(1);
    expect(figure(text, "ganglion_agent_link_connects_total")).toBe(1);
    expect(figure(text, 'ganglion_agent_append_round_trip_seconds_count{lane="local"}')).toBe(1);
    expect(figure(text, "process_resident_memory_bytes")).toBeGreaterThan(1e7);
    expect(figure(text, "process_cpu_seconds_total")).toBeGreaterThan(0);
    expect(text).toContain("nodejs_eventloop_lag_seconds");

    const shown = Object.values(MONITORING_FILES).flatMap((file) => [
      ...file.matchAll(/\b(ganglion_agent_\w+)(?:\{([^}]*)\})?/g),
    ]);
    expect(shown.length).toBeGreaterThan(2);
    for (const [, name = "", matchers = ""] of shown) {
      const series = text.split("\n").filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
      // `instance` is Prometheus's own. The value of a label must be one that the agent gives it.
      const labels = [...matchers.matchAll(/(\w+)=\\?"([^"\\]*)\\?"/g)].filter(([, label]) => label !== "instance");
      for (const [, label, value] of labels) expect(series.join("\n")).toContain(`${label}="${value}"`);
      expect(series, name).not.toEqual([]);
    }
  });

  it("is healthy and ready although the edge is away, and counts the attempts", async () => {
    const { edge, get } = await observed();
    await edge.when(() => edge.connections === 1);
    await edge.close();
    await expect
      .poll(async () => figure(await (await get("/metrics")).text(), "ganglion_agent_link_failures_total"))
      .toBeGreaterThan(2);
    const health = await get("/healthz");
    expect([health.status, await health.json()]).toEqual([200, { ok: true }]);
    const ready = await get("/readyz");
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ ok: true, failing: [], link: { state: expect.any(String) } });
    expect((await get("/other")).status).toBe(404);
    expect((await fetch((await get("/metrics")).url, { method: "POST" })).status).toBe(405);
  });

  it("is not ready while a source fails, and says which and why, and ready when the source works again", async () => {
    const { directory, get } = await observed(0, (root) => writeFileSync(join(root, "intents"), "no directory"));
    const ready = await get("/readyz");
    expect([ready.status, await ready.json()]).toMatchObject([
      503,
      { ok: false, failing: [{ name: "intents", state: "failing", detail: expect.stringContaining("intents") }] },
    ]);
    expect((await get("/healthz")).status).toBe(200);
    rmSync(join(directory, "intents"));
    await expect.poll(async () => (await get("/readyz")).status, { timeout: 30_000 }).toBe(200);
  });

  it("moves to another port and is switched off while the agent runs", async () => {
    const { agent, options, detail } = await observed();
    const first = detail();
    expect(await agent.reload({ ...options, observability: { port: null } })).toEqual({
      applied: ["observability"],
      restart: [],
      failed: [],
    });
    await expect(fetch(first)).rejects.toThrow();
    await agent.reload({ ...options, observability: { port: 0 } });
    expect((await fetch(detail())).status).toBe(200);
  });

  it("reports a port that is taken, while the agent takes in signals all the same", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    closing.push(() => new Promise((resolve) => other.close(resolve)));
    const { edge, directory, detail } = await observed((other.address() as AddressInfo).port);
    expect(detail()).toContain("cannot be opened (EADDRINUSE)");
    drop(directory, "a.json", '{"id":"1","type":"ask","data":{"question":"Why?"}}');
    await edge.when(() => edge.log.length === 1);
  });
});
