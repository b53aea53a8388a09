import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "vitest";
import { Agent } from "../../../local-agent/app/agent.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";
import { agentOptions } from "../app/agent-options.ts";
import { FakeEdge } from "../link/fake-edge.ts";
import { connectPublisher, freeEndpoints, PROBE, probe } from "./bus-parts.ts";

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

/** Prints a line for every message; of probes, which find out whether it hears already, the first alone. */
const SUBSCRIBER = `
import sys, zmq
socket = zmq.Context().socket(zmq.SUB)
socket.setsockopt(zmq.RCVHWM, 0)
socket.connect(sys.argv[1])
socket.setsockopt(zmq.SUBSCRIBE, b"")
probed = False
while True:
    line = " ".join(frame.decode() for frame in socket.recv_multipart())
    probe = line.startswith("Q_PROBE")
    if not (probe and probed):
        print("hears" if probe else line, flush=True)
    probed = probed or probe
`;

/** A proxy such as hosts run already. */
const PROXY = `
import sys, zmq
context = zmq.Context()
xsub, xpub = context.socket(zmq.XSUB), context.socket(zmq.XPUB)
xsub.setsockopt(zmq.RCVHWM, 0); xpub.setsockopt(zmq.SNDHWM, 0)
xsub.bind(sys.argv[1]); xpub.bind(sys.argv[2])
print("bound", flush=True)
poller = zmq.Poller()
poller.register(xsub, zmq.POLLIN); poller.register(xpub, zmq.POLLIN)
while True:
    for socket, _ in poller.poll():
        (xpub if socket is xsub else xsub).send_multipart(socket.recv_multipart())
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
  /** Something that hears all of the bus by now. */
  async function listenAt({ xsub, xpub }: { xsub: string; xpub: string }) {
    const subscriber = python(SUBSCRIBER, xpub);
    const publisher = await connectPublisher(xsub);
    await probe(
      publisher,
      subscriber.when(() => subscriber.lines.includes("hears")),
    );
    publisher.close();
    return subscriber;
  }
  const words = (edge: FakeEdge) => edge.log.filter(({ signal }) => signal !== PROBE);

  async function startAgent(endpoints: { xsub: string; xpub: string }) {
    const edge = await FakeEdge.listen();
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
      const subscriber = await listenAt(endpoints);
      // The agent hears, too: through a proxy of others' it subscribes like anybody else.
      await edge.when(() => edge.log.length > 0);
      const { child } = python(PUBLISHER, endpoints.xsub, "2000");
      await once(child, "exit");
      await edge.when(() => words(edge).length >= 2_000);
      expect(words(edge).map(({ facts }) => facts.n)).toEqual(Array.from({ length: 2_000 }, (_, n) => n));
      expect(words(edge)[1]).toMatchObject({
        signal: "OBSERVATION",
        source: "python",
        timestamp: "2026-01-31T12:00:01.000Z",
      });
      // The subscriber has seen the last of the burst, so it would also see an echo of it before this one.
      await subscriber.when(() => subscriber.lines.some((line) => line.includes('"n": 1999')));
      const gap = edge.append("CAPABILITY_GAP", { gap_name: "cpu" });
      await subscriber.when(() => subscriber.lines.at(-1)?.startsWith("CAPABILITY_GAP") === true);
      expect(JSON.parse(subscriber.lines.at(-1)?.slice("CAPABILITY_GAP ".length) ?? "")).toEqual({
        ...gap,
        ts: Date.parse(gap.timestamp) / 1_000,
        schema_version: 1,
        incident_id: gap.id,
      });
      expect(subscriber.lines).toHaveLength(1 + 2_000 + 1);
      expect(words(edge)).toHaveLength(2_001);
    },
  );

  it("spans two hosts: a signal of one appears once on the other's bus, and not again on its own", async () => {
    const edge = await FakeEdge.listen();
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
        const subscriber = await listenAt(endpoints);
        return { ...endpoints, subscriber };
      }),
    );
    const [a, b] = hosts;
    if (a === undefined || b === undefined) throw new Error("two hosts were started");
    await edge.when(() => edge.subscriptions.length === 2);
    await once(python(PUBLISHER, a.xsub, "100").child, "exit");
    await once(python(PUBLISHER, b.xsub, "100").child, "exit");
    await edge.when(() => words(edge).length >= 200);
    const end = edge.append("Q_END", {});
    for (const { subscriber } of hosts) {
      await subscriber.when(() => subscriber.lines.some((line) => line.includes(end.id)));
      // Its own hundred from the bus itself, the other's from the edge, and the end.
      expect(subscriber.lines).toHaveLength(1 + 100 + 100 + 1);
    }
  });
});
