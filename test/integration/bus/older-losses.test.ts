import { afterEach, describe, expect, it } from "vitest";
import { Agent } from "../../../local-agent/app/agent.ts";
import { eventually } from "../../harness/eventually.ts";
import { hasPythonBus, PYTHON } from "../../harness/python-bus.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";
import { agentOptions } from "../app/agent-options.ts";
import { FakeEdge } from "../link/fake-edge.ts";
import { freeEndpoints } from "./bus-parts.ts";

/**
 * Sends numbered messages in an older form, one frame or two, until it is told to end. A PUB sends as soon as it has
 * connected, its first message twice; an XPUB waits for a subscription.
 */
const PUBLISHER = `
import json, sys, threading, time, zmq
address, kind, form = sys.argv[1:]
socket = zmq.Context.instance().socket(zmq.PUB if kind == "pub" else zmq.XPUB)
socket.connect(address)
if kind == "xpub":
    socket.recv()
def emit(n):
    message = {"signal": "Q_TICK", "ecosystem": "kloros", "intensity": 1.0, "facts": {"n": n}, "incident_id": None,
               "trace": None, "ts": time.time(), "schema_version": 1}
    if form == "one_frame":
        socket.send_json(message)
    else:
        socket.send_multipart([b"Q_TICK", json.dumps(message).encode("utf-8")])
    return message
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), ended.set()), daemon=True).start()
n = 0
while not ended.is_set():
    emit(n)
    n += 1
    print("sent", n, flush=True)
    time.sleep(0.002)
print("all", n, flush=True)
time.sleep(0.2)
`;

const SUBSCRIBER = `
import json, sys, zmq
address, form = sys.argv[1:]
socket = zmq.Context.instance().socket(zmq.SUB)
socket.connect(address)
socket.setsockopt_string(zmq.SUBSCRIBE, "" if form == "one_frame" else "Q_TICK")
print("connected", flush=True)
while True:
    message = socket.recv_json() if form == "one_frame" else json.loads(socket.recv_multipart()[-1])
    print("got", message["facts"]["n"], flush=True)
`;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const python = (script: string, ...args: string[]) =>
  new RunningProcess(["-c", script, ...args], { command: PYTHON, stdin: "pipe" });

async function aHost() {
  const edge = await FakeEdge.listen();
  closing.push(() => edge.close());
  const endpoints = await freeEndpoints();
  const stateDir = temporaryDirectory();
  const start = async () => {
    const agent = new Agent({ ...agentOptions(stateDir, edge.url), ...endpoints, sources: ["bus"], logger: silent });
    closing.push(() => agent.stop());
    await agent.start();
    return agent;
  };
  const taken = () => edge.log.filter(({ signal }) => signal === "Q_TICK").map(({ facts }) => Number(facts.n));
  return { edge, ...endpoints, start, taken };
}

/** Ends the publisher. @returns how many messages it has sent */
async function end(publisher: RunningProcess): Promise<number> {
  publisher.child.stdin?.write("\n");
  const [, count = ""] = await publisher.line(/^all (\d+)$/);
  return Number(count);
}

const got = (subscriber: RunningProcess) =>
  subscriber.lines.flatMap((line) => (line.startsWith("got ") ? [Number(line.slice(4))] : []));
const range = (from: number, to: number) => Array.from({ length: Math.max(0, to - from) }, (_, n) => from + n);

describe.skipIf(!hasPythonBus)("what ZMQ loses of older programs", () => {
  it("is, of a PUB that sends at once, what it sent until the subscription came, and nothing after that", async () => {
    const { xsub, start, taken } = await aHost();
    await start();
    const publisher = python(PUBLISHER, xsub, "pub", "two_frames");
    await eventually(() => expect(taken().length).toBeGreaterThan(20));
    const sent = await end(publisher);
    await eventually(() => expect(taken().at(-1)).toBe(sent - 1));
    // The numbers say what is lost: the hole is at the beginning.
    expect(taken()).toEqual(range(taken()[0] ?? sent, sent));
  });

  it.each(["two_frames", "one_frame"])(
    "is nothing of an XPUB, and of a late joiner what came before its subscription: %s",
    async (form) => {
      const { xsub, xpub, start, taken } = await aHost();
      await start();
      const early = python(SUBSCRIBER, xpub, form);
      await early.line(/^connected$/);
      const publisher = python(PUBLISHER, xsub, "xpub", form);
      await early.line(/^got /);
      const late = python(SUBSCRIBER, xpub, form);
      await late.line(/^got /);
      const sent = await end(publisher);
      await Promise.all([early, late].map((one) => one.line(new RegExp(`^got ${sent - 1}$`))));
      await eventually(() => expect(taken()).toEqual(range(0, sent)));
      expect(got(early)).toEqual(range(got(early)[0] ?? sent, sent));
      const [joined = sent] = got(late);
      expect(joined).toBeGreaterThan(got(early)[0] ?? sent);
      expect(got(late)).toEqual(range(joined, sent));
      // The late one asks the edge: everything that it missed lies in the log.
      expect(taken().filter((n) => n < joined)).toEqual(range(0, joined));
    },
  );

  it("is one hole for each time that the proxy was away", async () => {
    const { xsub, start, taken } = await aHost();
    const agent = await start();
    const publisher = python(PUBLISHER, xsub, "xpub", "two_frames");
    await eventually(() => expect(taken().length).toBeGreaterThan(20));
    await agent.stop();
    const before = taken().length;
    await start();
    await eventually(() => expect(taken().length).toBeGreaterThan(before + 20));
    const sent = await end(publisher);
    await eventually(() => expect(taken().at(-1)).toBe(sent - 1));
    const holes = taken().filter((n, place) => place > 0 && n !== (taken()[place - 1] ?? 0) + 1);
    expect(taken()[0]).toBe(0);
    expect(holes.length).toBeLessThanOrEqual(1);
    expect(new Set(taken()).size).toBe(taken().length);
  });
});
