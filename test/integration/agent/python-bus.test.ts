import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "vitest";
import { Agent } from "../../../local-agent/agent.ts";
import { silent, temporaryDirectory } from "../../unit/agent/temporary-state.ts";
import { agentOptions } from "./agent-options.ts";
import { freeEndpoints } from "./bus-parts.ts";
import { EdgeStandIn } from "./edge-stand-in.ts";

const PYTHON = "/usr/bin/python3";
const importable = spawnSync(PYTHON, ["-c", "import zmq"]).status === 0;

/** Sends numbered observations in both frame forms, once somebody listens. */
const PUBLISHER = `
import json, sys, zmq
xsub, count = sys.argv[1], int(sys.argv[2])
socket = zmq.Context().socket(zmq.XPUB)
socket.setsockopt(zmq.SNDHWM, 0)
socket.connect(xsub)
socket.recv()
for n in range(count):
    body = json.dumps({"signal": "OBSERVATION", "source": "python", "ecosystem": "old", "timestamp": 1769860800 + n,
                       "facts": {"zooid": "py", "cpu_percent": 95, "n": n}}).encode()
    socket.send_multipart([b"OBSERVATION", body] if n % 2 else [body])
socket.close()
zmq.Context.instance().term()
`;

/** Prints a line for every message. */
const SUBSCRIBER = `
import sys, zmq
socket = zmq.Context().socket(zmq.SUB)
socket.setsockopt(zmq.RCVHWM, 0)
socket.connect(sys.argv[1])
socket.setsockopt(zmq.SUBSCRIBE, b"")
print("subscribed", flush=True)
while True:
    print(" ".join(frame.decode() for frame in socket.recv_multipart()), flush=True)
`;

/** A proxy such as hosts run already; it also says when somebody subscribes through it. */
const PROXY = `
import sys, zmq
context = zmq.Context()
xsub, xpub = context.socket(zmq.XSUB), context.socket(zmq.XPUB)
xpub.setsockopt(zmq.XPUB_VERBOSE, 1)
xsub.setsockopt(zmq.RCVHWM, 0); xpub.setsockopt(zmq.SNDHWM, 0)
xsub.bind(sys.argv[1]); xpub.bind(sys.argv[2])
print("bound", flush=True)
poller = zmq.Poller()
poller.register(xsub, zmq.POLLIN); poller.register(xpub, zmq.POLLIN)
while True:
    for socket, _ in poller.poll():
        frames = socket.recv_multipart()
        (xpub if socket is xsub else xsub).send_multipart(frames)
        if socket is xpub:
            print("subscription", flush=True)
`;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function python(script: string, ...args: string[]) {
  const child: ChildProcess = spawn(PYTHON, ["-c", script, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  let waiting: { until: () => boolean; resolve: () => void }[] = [];
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on("line", (line) => {
      lines.push(line);
      waiting = waiting.filter(({ until, resolve }) => {
        if (!until()) return true;
        resolve();
        return false;
      });
    });
  }
  closing.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  const when = (until: () => boolean) =>
    until() ? Promise.resolve() : new Promise<void>((resolve) => waiting.push({ until, resolve }));
  return { child, lines, when };
}

if (!importable) console.warn(`skipped: ${PYTHON} cannot import zmq (Debian: python3-zmq)`);

describe.skipIf(!importable)("bus with programs in Python", () => {
  async function startAgent(endpoints: { xsub: string; xpub: string }) {
    const edge = await EdgeStandIn.listen();
    closing.push(() => edge.close());
    const agent = new Agent({
      ...agentOptions(temporaryDirectory(), edge.url),
      ...endpoints,
      sources: ["bus"],
      logger: silent,
    });
    closing.push(() => agent.stop());
    await agent.start();
    return { edge, agent };
  }

  it.each(["own", "existing"])(
    "carries their signals to the edge and the edge's to them, with its %s proxy",
    async (mode) => {
      const endpoints = await freeEndpoints();
      const proxy = mode === "existing" ? python(PROXY, endpoints.xsub, endpoints.xpub) : undefined;
      await proxy?.when(() => proxy.lines.includes("bound"));
      const { edge } = await startAgent(endpoints);
      const subscriber = python(SUBSCRIBER, endpoints.xpub);
      await subscriber.when(() => subscriber.lines.length === 1);
      // The publisher starts when the first of both has subscribed; what the other misses then is gone (a slow joiner).
      await proxy?.when(() => proxy.lines.filter((line) => line === "subscription").length >= 2);
      const { child } = python(PUBLISHER, endpoints.xsub, "2000");
      await once(child, "exit");
      await edge.when(() => edge.log.length >= 2_000);
      expect(edge.log.map(({ facts }) => facts.n)).toEqual(Array.from({ length: 2_000 }, (_, n) => n));
      expect(edge.log[1]).toMatchObject({
        signal: "OBSERVATION",
        source: "python",
        timestamp: "2026-01-31T12:00:01.000Z",
      });
      // The subscriber has seen the last of the burst, so it would also see an echo of it before this one.
      await subscriber.when(() => subscriber.lines.some((line) => line.includes('"n": 1999')));
      const gap = edge.append("CAPABILITY_GAP", { gap_name: "cpu" });
      await subscriber.when(() => subscriber.lines.at(-1)?.startsWith("CAPABILITY_GAP") === true);
      expect(JSON.parse(subscriber.lines.at(-1)?.slice("CAPABILITY_GAP ".length) ?? "")).toEqual(gap);
      expect(subscriber.lines).toHaveLength(1 + 2_000 + 1);
      expect(edge.log).toHaveLength(2_001);
    },
    30_000,
  );

  it("spans two hosts: a signal of one appears once on the other's bus, and not again on its own", async () => {
    const edge = await EdgeStandIn.listen();
    closing.push(() => edge.close());
    const hosts = await Promise.all(
      ["a", "b"].map(async (hostId) => {
        const endpoints = await freeEndpoints();
        const agent = new Agent({
          ...agentOptions(temporaryDirectory(), edge.url),
          ...endpoints,
          subscribe: ["*"],
          hostId,
          sources: ["bus"],
          logger: silent,
        });
        closing.push(() => agent.stop());
        await agent.start();
        const subscriber = python(SUBSCRIBER, endpoints.xpub);
        await subscriber.when(() => subscriber.lines.length === 1);
        return { ...endpoints, subscriber };
      }),
    );
    const [a, b] = hosts;
    if (a === undefined || b === undefined) throw new Error("two hosts were started");
    await edge.when(() => edge.subscriptions.length === 2);
    await once(python(PUBLISHER, a.xsub, "100").child, "exit");
    await once(python(PUBLISHER, b.xsub, "100").child, "exit");
    await edge.when(() => edge.log.length >= 200);
    const end = edge.append("Q_END", {});
    for (const { subscriber } of hosts) {
      await subscriber.when(() => subscriber.lines.some((line) => line.includes(end.id)));
      // Its own hundred from the bus itself, the other's from the edge, and the end.
      expect(subscriber.lines).toHaveLength(1 + 100 + 100 + 1);
    }
  }, 30_000);
});
