import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Dealer } from "zeromq";
import { Agent } from "../../../local-agent/app/agent.ts";
import type { Client } from "../../../src/client/client.ts";
import { eventually } from "../../harness/eventually.ts";
import { hasPythonBus, PYTHON } from "../../harness/python-bus.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";
import { agentOptions } from "../app/agent-options.ts";
import { connectSubscriber, freeEndpoints } from "./bus-parts.ts";

/** Sends numbered messages as older programs do, every second one with an incident, until it is told to end. */
const PUBLISHER = `
import json, sys, threading, time, zmq
socket = zmq.Context.instance().socket(zmq.XPUB)
socket.connect(sys.argv[1])
socket.recv()
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), ended.set()), daemon=True).start()
n = 0
while not ended.is_set():
    socket.send_multipart([b"Q_TICK", json.dumps({
        "signal": "Q_TICK", "ecosystem": "old", "intensity": 1.0, "facts": {"n": n}, "trace": None, "ts": time.time(),
        "incident_id": "tick-%d" % n if n % 2 else None, "schema_version": 1}).encode()])
    n += 1
    time.sleep(0.005)
print("all", n, flush=True)
time.sleep(0.2)
`;
/** The late subscriber of the documents. */
const LATE =
  readFileSync("docs/agent.md", "utf8")
    .split(/^```/m)
    .find((block) => block.startsWith("python\n") && block.includes("zmq.REQ"))
    ?.replace("python\n", "") ?? "";

const python = (script: string, ...args: string[]) =>
  new RunningProcess(["-c", script, ...args], { command: PYTHON, stdin: "pipe" });
const range = (count: number) => Array.from({ length: count }, (_, n) => n);

let edge: RunningEdge;
let client: Client;
let agent: Agent;
let bus: { xsub: string; xpub: string };
let replay: string;
beforeAll(async () => {
  edge = await runEdge();
  client = edge.client();
  [bus, { xsub: replay }] = await Promise.all([freeEndpoints(), freeEndpoints()]);
  agent = new Agent({
    ...agentOptions(temporaryDirectory(), edge.url),
    ...bus,
    token: () => edge.token,
    subscribe: "auto",
    sources: ["bus"],
    bus: { connect: [], messages: "two_frames", heartbeats: "presence", replay },
    logger: silent,
  });
  await agent.start();
});
afterAll(() => agent.stop());

/** Asks as a DEALER, which reads replies until the last one. */
async function ask(request: unknown): Promise<{ messages: string[][]; end: Record<string, unknown> }> {
  const dealer = new Dealer({ linger: 0 });
  dealer.connect(replay);
  await dealer.send(typeof request === "string" ? request : JSON.stringify(request));
  const messages: string[][] = [];
  for (;;) {
    const parts = (await dealer.receive()).map(String);
    const end = JSON.parse(parts.pop() ?? "") as Record<string, unknown>;
    for (let place = 0; place < parts.length; place += 2) messages.push(parts.slice(place, place + 2));
    if (end.replay === "more") continue;
    dealer.close();
    return { messages, end };
  }
}

describe.skipIf(!hasPythonBus)("a subscriber of the bus that comes late", () => {
  it("has every message once, of its own host and of others, and nobody else has any of them twice", async () => {
    const early = connectSubscriber(bus.xpub);
    const publisher = python(PUBLISHER, bus.xsub);
    const inLog = async () => (await client.signals({ signals: ["Q_TICK"], limit: 1_000 })).signals.length;
    await eventually(async () => expect(await inLog()).toBeGreaterThan(50));
    const other = (n: number) => client.emit({ signal: "Q_OTHER", source: "another-host", facts: { n } });
    for (const n of range(5)) await other(n);
    const script = LATE.replace("tcp://127.0.0.1:5557", bus.xpub).replace("tcp://127.0.0.1:5560", replay);
    const late = python(script);
    await late.line(/^Q_OTHER .*4/);
    for (const n of range(5)) await other(5 + n);
    publisher.child.stdin?.write("\n");
    const [, count = ""] = await publisher.line(/^all (\d+)$/);
    const sent = Number(count);
    await Promise.all([late.line(new RegExp(`^Q_TICK .*"n": ${sent - 1}[,}]`)), late.line(/^Q_OTHER .*9/)]);
    const numbers = (name: string) =>
      late.lines
        .filter((line) => line.startsWith(`${name} `))
        .map((line) => Number(/"n": (\d+)/.exec(line)?.[1]))
        .sort((a, b) => a - b);
    expect(numbers("Q_TICK")).toEqual(range(sent));
    expect(numbers("Q_OTHER")).toEqual(range(10));
    const heard = early.frames.flatMap(([topic, text = "{}"]) =>
      topic === "Q_TICK" ? [JSON.parse(text).facts.n] : [],
    );
    expect(new Set(heard).size).toBe(heard.length);
    early.close();
  });

  it("reads several replies as a DEALER, and is told what is wrong with its request", async () => {
    await client.emit({ signal: "Q_ASKED", source: "another-host", facts: {} });
    const { messages, end } = await ask({ minutes: 5, topics: ["Q_ASKED"], form: "two-frames" });
    expect(messages.map(([topic, text = ""]) => [topic, JSON.parse(text)])).toMatchObject([
      ["Q_ASKED", { signal: "Q_ASKED", schema_version: 1, ts: expect.any(Number), incident_id: expect.any(String) }],
    ]);
    expect(end).toMatchObject({ replay: "complete", messages: 1 });
    for (const [request, error] of [
      ["{", "is not JSON"],
      [{ minutes: 0 }, "/minutes: give more than 0 minutes"],
      [{ minutes: 1, what: 1 }, "what"],
    ] as const)
      expect((await ask(request)).end).toEqual({ replay: "error", error: expect.stringContaining(error) });
  });

  it("is told so where the edge is away", async () => {
    await edge.process.stop();
    await eventually(async () =>
      expect((await ask({ minutes: 1 })).end).toEqual({
        replay: "error",
        error: expect.stringContaining("the edge is away"),
      }),
    );
  });
});
