import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, connect as openTcp, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { askAgent } from "../../../local-agent/commands/ask-agent.ts";
import { LINK_PROTOCOL, PING, PONG } from "../../../src/core/wire/link-frames.ts";
import { atEnd, temporaryDirectory } from "../../harness/cleanup.ts";
import { eventually } from "../../harness/eventually.ts";
import { runAgent } from "../../harness/running-agent.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { PATIENCE_MS } from "../../harness/until.ts";

/** An agent that tells a file what it notices of its edge. */
async function watcher(url: string, token: string, host: string, silentSeconds: number) {
  const stateDir = temporaryDirectory();
  const out = join(temporaryDirectory(), "told");
  const config = join(stateDir, "ganglion-agent.yaml");
  const edge_watch = { command: ["sh", "-c", `cat >> ${out}; echo >> ${out}`] };
  writeFileSync(config, JSON.stringify({ monitors: { edge_silent_seconds: silentSeconds, edge_watch } }));
  const start = () => runAgent({ url, token }, { host, stateDir, sources: [], env: { GANGLION_CONFIG: config } });
  const told = (): string[] =>
    !existsSync(out)
      ? []
      : readFileSync(out, "utf8")
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => JSON.parse(line) as { part: string; state: string })
          .map(({ part, state }) => `${part} ${state}`);
  return { start, told, stateDir };
}

/** An edge of which nothing is there but the rounds of its cron, which come often. */
async function roundsAlone(roundMs: number) {
  const links = new Set<WebSocket>();
  const answered = new Set<WebSocket>();
  let running = true;
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => LINK_PROTOCOL });
  server.on("connection", (socket) => {
    links.add(socket);
    socket.on("message", (data) => {
      if (String(data) === PING) socket.send(PONG);
      else if (String(data).includes('"facts"')) answered.add(socket);
    });
    socket.on("close", () => links.delete(socket));
  });
  await new Promise((resolve) => server.once("listening", resolve));
  const timer = setInterval(() => {
    if (!running) return;
    const frame = { type: "gather", request: "r", monitors: [], edge: { round_ms: roundMs } };
    for (const socket of links) socket.send(JSON.stringify(frame));
  }, roundMs);
  atEnd(() => {
    clearInterval(timer);
    for (const socket of links) socket.terminate();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    links,
    answered,
    stop: () => {
      running = false;
    },
    goOn: () => {
      running = true;
    },
  };
}

/** A way to the edge that can be cut. */
async function cuttable(to: string) {
  const { port } = new URL(to);
  const open = new Set<Socket>();
  let cut = false;
  const server = createServer((from) => {
    if (cut) return from.destroy();
    const on = openTcp(Number(port), "127.0.0.1");
    for (const [one, other] of [
      [from, on],
      [on, from],
    ] as const) {
      open.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        open.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  atEnd(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => {
      cut = true;
      for (const socket of open) socket.destroy();
    },
    mend: () => {
      cut = false;
    },
  };
}

describe("agents that watch their edge", () => {
  it("tell once that its cron stands still, over restarts too, and once that it is back", async () => {
    const edge = await roundsAlone(1_000);
    const hosts = await Promise.all(["a", "b", "c"].map((name) => watcher(edge.url, "none", name, 600)));
    const agents = await Promise.all(hosts.map(({ start }) => start()));
    await eventually(() => expect(edge.links.size).toBe(3));
    // They answered a round, and so know how often rounds come.
    await eventually(() => expect(edge.answered.size).toBe(3));
    edge.stop();
    const stoppedMs = performance.now();
    await eventually(() => expect(hosts.map(({ told }) => told())).toEqual(Array(3).fill(["cron silent"])));
    // Two periods, and the time in which a busy machine starts three commands.
    expect(performance.now() - stoppedMs).toBeLessThan(2_000 + 5_000);
    const [first, again] = [hosts[0], agents[0]];
    if (first === undefined || again === undefined) throw new Error("no host");
    const { parts } = (await askAgent(first.stateDir, "edge.status", {}, PATIENCE_MS)) as {
      parts: { part: string; state: string }[];
    };
    expect(parts.map(({ part, state }) => `${part} ${state}`)).toEqual(["edge alive", "cron silent", "queue alive"]);
    await again.process.stop();
    await first.start();
    await eventually(() => expect(edge.links.size).toBe(3));
    edge.goOn();
    await eventually(() =>
      expect(hosts.map(({ told }) => told())).toEqual(Array(3).fill(["cron silent", "cron back"])),
    );
  });

  it("cut off from it tell so once, and it tells once that they are down; both tell once that they are back", async () => {
    const edge = await runEdge();
    const client = edge.client();
    await client.agents.setMonitors({ agent_grace_seconds: 0.2 });
    const way = await cuttable(edge.url);
    const { start, told } = await watcher(way.url, edge.token, "gpu-01", 1);
    const agent = await start();
    await agent.linked();
    const presence = async () => {
      const { signals } = (await (
        await fetch(`${edge.url}/v1/default/signals?limit=1000`, { headers: { authorization: `Bearer ${edge.token}` } })
      ).json()) as { signals: { signal: string }[] };
      return signals.map(({ signal }) => signal).filter((name) => /^Q_AGENT_(UP|DOWN)$/.test(name));
    };
    await eventually(async () => expect(await presence()).toEqual(["Q_AGENT_UP"]));
    way.cut();
    await eventually(() => expect(told()).toEqual(["edge silent"]));
    await eventually(async () => expect(await presence()).toEqual(["Q_AGENT_UP", "Q_AGENT_DOWN"]));
    way.mend();
    await eventually(() => expect(told()).toEqual(["edge silent", "edge back"]));
    await eventually(async () => expect(await presence()).toEqual(["Q_AGENT_UP", "Q_AGENT_DOWN", "Q_AGENT_UP"]));
  });
});
