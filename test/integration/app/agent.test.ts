import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { Agent } from "../../../local-agent/app/agent.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";
import { connectPublisher, connectSubscriber, freeEndpoints } from "../bus/bus-parts.ts";
import { FakeEdge } from "../link/fake-edge.ts";
import { agentOptions } from "./agent-options.ts";

const MAIN = fileURLToPath(new URL("../../../local-agent/main.ts", import.meta.url));

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function startEdge() {
  const edge = await FakeEdge.listen();
  closing.push(() => edge.close());
  return edge;
}

function dropIntent(directory: string, id: string) {
  mkdirSync(directory, { recursive: true });
  writeFileSync(
    join(directory, `.${id}.tmp`),
    JSON.stringify({ id, type: "question", data: { question: `Why ${id}?` } }),
  );
  renameSync(join(directory, `.${id}.tmp`), join(directory, `${id}.json`));
}

describe("agent", () => {
  it("brings samples, intents, metric files and the bus to the edge, and the edge's signals to the bus", async () => {
    const edge = await startEdge();
    const directory = temporaryDirectory();
    const endpoints = await freeEndpoints();
    const agent = new Agent({ ...agentOptions(directory, edge.url), ...endpoints, logger: silent });
    closing.push(() => agent.stop());
    await agent.start();
    expect(Object.fromEntries(agent.status.sources.map(({ name, state }) => [name, state]))).toMatchObject({
      sampler: "live",
      gpu: "absent",
      intents: "live",
      metrics: "live",
      bus: "live",
    });
    const subscriber = connectSubscriber(endpoints.xpub);
    closing.push(() => subscriber.close());
    const publisher = await connectPublisher(endpoints.xsub);
    closing.push(() => publisher.close());
    await subscriber.hears(publisher);
    await publisher.send([JSON.stringify({ signal: "Q_FROM_BUS", facts: {} })]);
    dropIntent(join(directory, "intents"), "i-1");
    writeFileSync(join(directory, "metrics", "queue_metrics.jsonl"), '{"queue":"q","depth":7}\n');
    await edge.when(() => edge.log.some(({ facts }) => facts.queue_name === "q" && facts.depth === 7));
    await edge.when(() =>
      ["OBSERVATION", "Q_FROM_BUS", "Q_CURIOSITY_INVESTIGATE"].every((name) =>
        edge.log.some(({ signal }) => signal === name),
      ),
    );
    await subscriber.when((frames) => frames.some(([name]) => name === "Q_CURIOSITY_INVESTIGATE"));
    edge.append("Q_END", {});
    await subscriber.when((frames) => frames.at(-1)?.[0] === "Q_END");
    // Once from the publisher itself, never from the edge.
    expect(subscriber.frames.filter(([body]) => body?.includes("Q_FROM_BUS"))).toHaveLength(1);
    expect(subscriber.frames.filter(([name]) => name === "Q_FROM_BUS")).toEqual([]);
    expect(edge.statuses.at(-1)).toMatchObject({
      host: "a",
      sources: expect.arrayContaining([expect.objectContaining({ name: "bus" })]),
    });
    expect(edge.wrongFrames).toEqual([]);
  });

  it("refuses a state directory that another agent holds, and leaves that agent alone", async () => {
    const edge = await startEdge();
    const directory = temporaryDirectory();
    const options = {
      ...agentOptions(directory, edge.url),
      ...(await freeEndpoints()),
      sources: ["intents"] as const,
      logger: silent,
    };
    const first = new Agent(options);
    closing.push(() => first.stop());
    await first.start();
    await expect(new Agent(options).start()).rejects.toThrow("Another agent");
    dropIntent(join(directory, "intents"), "still-works");
    await edge.when(() => edge.log.length === 1);
  });

  it("waits for an agent that is still ending, and then starts on its state", async () => {
    const edge = await startEdge();
    const directory = temporaryDirectory();
    const ending = StateDatabase.open(directory);
    closing.push(() => ending.close());
    const options = {
      ...agentOptions(directory, edge.url),
      ...(await freeEndpoints()),
      sources: ["intents"] as const,
      logger: silent,
    };
    const agent = new Agent(options);
    closing.push(() => agent.stop());
    const started = agent.start();
    ending.close();
    await started;
    dropIntent(join(directory, "intents"), "works");
    await edge.when(() => edge.log.length === 1);
  });

  it("starts nothing when it is stopped while it waits for another agent to end", async () => {
    const edge = await startEdge();
    const directory = temporaryDirectory();
    const ending = StateDatabase.open(directory);
    closing.push(() => ending.close());
    const options = { ...agentOptions(directory, edge.url), ...(await freeEndpoints()), logger: silent };
    const agent = new Agent(options);
    const started = agent.start();
    await agent.stop();
    ending.close();
    await started;
    expect(agent.status.link.state).toBe("stopped");
    StateDatabase.open(directory).close();
  });

  it("starts and stops repeatedly, and may be stopped before a start", async () => {
    const edge = await startEdge();
    const agent = new Agent({
      ...agentOptions(temporaryDirectory(), edge.url),
      ...(await freeEndpoints()),
      logger: silent,
    });
    await agent.stop();
    for (let round = 0; round < 3; round++) {
      await agent.start();
      await agent.stop();
    }
    await agent.stop();
  });

  it("keeps the old settings of a feature that fails with the new ones, and reports it", async () => {
    const edge = await startEdge();
    const directory = temporaryDirectory();
    const options = { ...agentOptions(directory, edge.url), ...(await freeEndpoints()), sources: ["bus"] as const };
    const agent = new Agent({ ...options, logger: silent });
    closing.push(() => agent.stop());
    await agent.start();
    // One of the two is somebody's, the other is nobody's: such a bus can be neither joined nor taken over.
    const next = {
      ...options,
      xpub: `tcp://127.0.0.1:${edge.port}`,
      xsub: (await freeEndpoints()).xsub,
      spoolMaxBytes: 5e8,
    };
    for (const settings of [["spoolMaxBytes"], []]) {
      const { applied, restart, failed } = await agent.reload(next);
      expect({ applied, restart }).toEqual({ applied: settings, restart: [] });
      expect(failed).toEqual([
        { feature: "bus", settings: ["xsub", "xpub"], reason: expect.stringContaining(next.xpub) },
      ]);
      expect(agent.status.sources.find(({ name }) => name === "bus")).toMatchObject({ state: "live" });
    }
    const publisher = await connectPublisher(options.xsub);
    closing.push(() => publisher.close());
    await publisher.send([JSON.stringify({ signal: "Q_FROM_BUS", facts: {} })]);
    await edge.when(() => edge.log.some(({ signal }) => signal === "Q_FROM_BUS"));
  });

  it("shows sources that are switched off, and does not subscribe without sinks", async () => {
    const edge = await startEdge();
    const agent = new Agent({
      ...agentOptions(temporaryDirectory(), edge.url),
      ...(await freeEndpoints()),
      sources: [],
      logger: silent,
    });
    closing.push(() => agent.stop());
    await agent.start();
    await edge.when(() => edge.statuses.length > 0);
    expect(edge.subscriptions).toEqual([]);
    // Commands of the edge are no source: a host takes them whatever it sends.
    const sources = agent.status.sources.filter(({ name }) => name !== "commands");
    expect(new Set(sources.map(({ state }) => state))).toEqual(new Set(["off"]));
  });
});

interface Started {
  readonly child: ChildProcess;
  readonly messages: { type: string; link?: { state: string }; sources?: { name: string; state: string }[] }[];
  readonly stderr: () => string;
  readonly exit: Promise<number | string>;
  readonly ready: Promise<void>;
  readonly told: (until: (message: Started["messages"][number]) => boolean) => Promise<void>;
}

function startProcess(environment: Record<string, string>): Started {
  const child = fork(MAIN, [], {
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, ...environment },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    execArgv: [],
  });
  const messages: Started["messages"] = [];
  let stderr = "";
  child.stderr?.on("data", (chunk) => {
    stderr += chunk;
  });
  child.on("message", (message) => messages.push(message as Started["messages"][number]));
  // Not "close": that one does not come after a disconnect.
  const errors = child.stderr === null ? Promise.resolve() : once(child.stderr, "end");
  const exit = Promise.all([once(child, "exit"), errors]).then(() => child.exitCode ?? child.signalCode ?? "");
  closing.push(() => {
    child.kill("SIGKILL");
    return exit;
  });
  const told: Started["told"] = (until) =>
    new Promise((resolve, reject) => {
      const look = () => messages.some(until) && resolve();
      child.on("message", look);
      look();
      void exit.then((code) => reject(new Error(`ended with ${code}: ${stderr}`)));
    });
  return { child, messages, stderr: () => stderr, exit, told, ready: told(({ type }) => type === "ready") };
}

async function environmentFor(edge: { url: string }, directory: string): Promise<Record<string, string>> {
  const { xsub, xpub } = await freeEndpoints();
  return {
    GANGLION_URL: edge.url,
    GANGLION_TOKEN: "secret",
    GANGLION_STATE_DIR: directory,
    GANGLION_HOST_ID: "a",
    GANGLION_SAMPLE_SECONDS: "0.2",
    KLR_CHEM_XSUB: xsub,
    KLR_CHEM_XPUB: xpub,
  };
}

describe("agent as a process", () => {
  it("reports its sources and the link to its parent, and stops with status 0 when asked", async () => {
    const edge = await startEdge();
    const agent = startProcess(await environmentFor(edge, temporaryDirectory()));
    await agent.ready;
    const ready = agent.messages.find(({ type }) => type === "ready");
    const names = ready?.sources?.map(({ name }) => name);
    expect(names).toEqual(["sampler", "gpu", "intents", "metrics", "bus", "commands"]);
    await agent.told(({ link }) => link?.state === "connected");
    await edge.when(() => edge.log.length > 0);
    edge.dropConnections();
    await agent.told(({ link }) => link?.state === "waiting");
    agent.child.kill("SIGTERM");
    expect(await agent.exit).toBe(0);
    expect(agent.stderr()).not.toContain("secret");
  });

  it("ends when its parent disconnects", async () => {
    const agent = startProcess(await environmentFor(await startEdge(), temporaryDirectory()));
    await agent.ready;
    agent.child.disconnect();
    expect(await agent.exit).toBe(0);
  });

  it("names every invalid setting, without a stack trace and without the token", async () => {
    const agent = startProcess({
      GANGLION_URL: "ftp://x",
      GANGLION_TOKEN: "se cret",
      GANGLION_ECOSYSTEM: "Not Good",
      GANGLION_SAMPLE_SECONDS: "soon",
      GANGLION_SOURCES: "sampler,moon",
      KLR_CHEM_XSUB: "5556",
      GANGLION_STATE_DIR: temporaryDirectory(),
    });
    agent.ready.catch(() => undefined);
    expect(await agent.exit).toBe(1);
    for (const name of [
      "GANGLION_URL",
      "GANGLION_TOKEN",
      "GANGLION_ECOSYSTEM",
      "GANGLION_SAMPLE_SECONDS",
      "GANGLION_SOURCES",
      "KLR_CHEM_XSUB",
    ]) {
      expect(agent.stderr()).toContain(`  ${name}: `);
    }
    expect(agent.stderr()).not.toMatch(/se cret|\n +at /);
  });

  it("reports in one line that another agent runs in its directory", async () => {
    const environment = await environmentFor(await startEdge(), temporaryDirectory());
    const first = startProcess(environment);
    await first.ready;
    const second = startProcess(environment);
    second.ready.catch(() => undefined);
    expect(await second.exit).toBe(1);
    expect(second.stderr()).toMatch(
      new RegExp(`^Another agent \\(process ${first.child.pid}\\) runs in .*GANGLION_STATE_DIR.*\\n$`),
    );
  });

  it("neither loses nor doubles an intent when it is killed repeatedly", async () => {
    const edge = await startEdge();
    const directory = temporaryDirectory();
    const environment = { ...(await environmentFor(edge, directory)), GANGLION_SOURCES: "intents" };
    const intents = join(directory, "intents");
    let dropped = 0;
    const drop = (count: number) => {
      for (let n = 0; n < count; n++) dropIntent(intents, `i${dropped++}`);
    };
    drop(300);
    for (let round = 0; round < 6; round++) {
      const agent = startProcess(environment);
      await agent.ready;
      drop(200);
      const seen = edge.log.length;
      await edge.when(() => edge.log.length > seen + round * 20);
      agent.child.kill("SIGKILL");
      await agent.exit;
    }
    const last = startProcess(environment);
    await last.ready;
    await edge.when(() => new Set(edge.log.map(({ facts }) => facts.question_id)).size === dropped);
    last.child.kill("SIGTERM");
    expect(await last.exit).toBe(0);
    expect(edge.log).toHaveLength(dropped);
    expect(readdirSync(intents)).toEqual([]);
  });
});
