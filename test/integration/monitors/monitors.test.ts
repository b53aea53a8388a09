import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { runAgent } from "../../harness/running-agent.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { first, within } from "../../harness/until.ts";
import { connectPublisher, connectSubscriber, freeEndpoints } from "../bus/bus-parts.ts";

const presence = async (edge: RunningEdge) => {
  const { signals } = await edge.client().signals({ signals: ["Q_AGENT_*"] });
  return signals.map(({ signal, facts }) => `${signal} ${facts.host} ${facts.reason}`);
};
const signal = (edge: RunningEdge, name: string, after = 0) =>
  first(edge.client().follow({ after, signals: [name] }), () => true, name);
const portOf = (edge: RunningEdge) => Number(new URL(edge.url).port);

test.concurrent("a promotion that waits on a host leads to one dream, and a module to one word, however often the host is asked", async () => {
  const edge = await runEdge();
  const directory = temporaryDirectory();
  const log = join(temporaryDirectory(), "curiosity_investigations.jsonl");
  const { agents, signals } = edge.client();
  // How the machine that runs the tests fares is no part of this.
  const health = { disk: null, memory: null, load: null, gpu_temperature: null };
  await agents.setMonitors({ health, answer_within_seconds: 20 });
  await runAgent(edge, {
    host: "gpu-01",
    sources: [],
    env: { GANGLION_PROMOTIONS_DIR: directory, GANGLION_INVESTIGATION_LOG: log },
  });
  await signal(edge, "Q_AGENT_UP");
  expect(await agents.runMonitors()).toEqual({ answered: ["gpu-01"], silent: [], told: [] });

  writeFileSync(join(directory, "skill.json"), "{}");
  appendFileSync(log, `${JSON.stringify({ hypothesis: "UNDISCOVERED_MODULE_vision", module_path: "/m/vision" })}\n`);
  // The edge asks by itself on each full minute, too: what it has just told of is not told again.
  const { told } = await agents.runMonitors();
  expect(["Q_PROMOTIONS_DETECTED", "Q_MODULE_DISCOVERED"]).toEqual(expect.arrayContaining([...told]));
  const dream = await signal(edge, "Q_DREAM_TRIGGER");
  expect(dream.facts).toMatchObject({ reason: "unacknowledged_promotions_detected", promotion_count: 1 });
  for (let minute = 0; minute < 3; minute++) expect((await agents.runMonitors()).told).toEqual([]);

  writeFileSync(join(directory, "skill.json.ack"), "");
  expect((await agents.runMonitors()).told).toEqual([]);
  const advisories = (await signals({ signals: ["Q_PROMOTIONS_DETECTED", "Q_DREAM_TRIGGER", "Q_MODULE_*"] })).signals;
  expect(advisories.map((one) => one.signal).sort()).toEqual([
    "Q_DREAM_TRIGGER",
    "Q_MODULE_DISCOVERED",
    "Q_PROMOTIONS_DETECTED",
  ]);
  expect(dream.cause).toBe(advisories.find((one) => one.signal === "Q_PROMOTIONS_DETECTED")?.id);
  const agent = await agents.get("gpu-01");
  expect(agent).toMatchObject({ state: "up", links: 1, failing: {}, version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
  expect(agent.facts).toMatchObject({
    promotions: { promotion_count: 1, unacknowledged_count: 0 },
    health: { readings: expect.arrayContaining([expect.objectContaining({ kind: "disk" })]) },
  });
});

test.concurrent("a host that is killed is down once and up when it is back; an edge that is killed makes nobody down", async ({
  expect,
}) => {
  const edge = await runEdge();
  await edge.client().agents.setMonitors({ agent_grace_seconds: 1 });
  const agent = await runAgent(edge, { host: "gpu-01", sources: [] });
  const up = await signal(edge, "Q_AGENT_UP");

  await agent.process.killGroup();
  const down = await signal(edge, "Q_AGENT_DOWN", up.seq);
  expect(down.facts).toMatchObject({ host: "gpu-01", reason: "link_lost" });
  await runAgent(edge, { host: "gpu-01", sources: [], stateDir: agent.stateDir });
  await signal(edge, "Q_AGENT_UP", down.seq);

  // The default again: agents wait for up to 15 s between two attempts.
  await edge.client().agents.setMonitors({});
  await edge.process.killGroup();
  const again = await runEdge({ stateDir: edge.stateDir, port: portOf(edge) });
  const answered = async () => (await again.client().agents.runMonitors()).answered;
  await expect.poll(answered).toEqual(["gpu-01"]);
  expect(await presence(again)).toEqual([
    "Q_AGENT_UP gpu-01 linked",
    "Q_AGENT_DOWN gpu-01 link_lost",
    "Q_AGENT_UP gpu-01 linked",
  ]);
});

test.concurrent("a host says on its own bus, and nowhere else, that its edge is silent and that it is back", async ({
  onTestFinished,
}) => {
  const edge = await runEdge();
  const stateDir = temporaryDirectory();
  const config = join(stateDir, "agent.yaml");
  const { xsub, xpub } = await freeEndpoints();
  writeFileSync(config, `bus: {xsub: "${xsub}", xpub: "${xpub}"}\nmonitors: {edge_silent_seconds: 0.5}\n`);
  const env = { GANGLION_CONFIG: config, KLR_CHEM_XSUB: undefined, KLR_CHEM_XPUB: undefined };
  const agent = await runAgent(edge, { stateDir, sources: ["bus"], env });
  await agent.linked();
  const bus = connectSubscriber(xpub);
  onTestFinished(() => bus.close());
  const heard = async (name: string) => {
    await within(
      bus.when((frames) => frames.some(([topic]) => topic === name)),
      name,
    );
    return JSON.parse(bus.frames.find(([topic]) => topic === name)?.[1] ?? "{}");
  };
  const publisher = await connectPublisher(xsub);
  await bus.hears(publisher);
  publisher.close();

  await edge.process.killGroup();
  expect(await heard("Q_EDGE_SILENT")).toMatchObject({ source: "agent/host-a", facts: { host: "host-a" } });
  await agent.process.line(/the edge has been silent since/);
  const again = await runEdge({ stateDir: edge.stateDir, port: portOf(edge) });
  await heard("Q_EDGE_BACK");
  await again.client().emit({ signal: "Q_LAST", source: "test", facts: {} });
  await heard("Q_LAST");
  expect((await again.client().signals({ signals: ["Q_EDGE_*"] })).signals).toEqual([]);
});
