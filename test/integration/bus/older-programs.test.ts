import { spawnSync } from "node:child_process";
import { afterEach, describe, expect, it } from "vitest";
import { Agent } from "../../../local-agent/app/agent.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";
import { agentOptions } from "../app/agent-options.ts";
import { FakeEdge } from "../link/fake-edge.ts";
import { freeEndpoints } from "./bus-parts.ts";

const PYTHON = "/usr/bin/python3";
const importable = spawnSync(PYTHON, ["-c", "import zmq"]).status === 0;

/** Messages as older programs send them: the first of each topic twice, 150 ms apart. */
const EMITTER = `
import json, sys, time, zmq
socket = zmq.Context.instance().socket(zmq.XPUB)
socket.connect(sys.argv[1])
socket.recv()
warm = set()
def emit(topic, facts, intensity=1.0, incident_id=None, trace=None):
    message = {"signal": topic, "ecosystem": "kloros", "intensity": intensity, "facts": facts,
               "incident_id": incident_id, "trace": trace, "ts": time.time(), "schema_version": 1}
    frames = [topic.encode("utf-8"), json.dumps(message).encode("utf-8")]
    socket.send_multipart(frames)
    if topic not in warm:
        warm.add(topic)
        time.sleep(0.15)
        socket.send_multipart(frames)
emit("Q_FIRST", {"n": 1})
emit("Q_FIRST", {"n": 2})
emit("Q_SECOND", {"n": 1}, incident_id="inc-1")
emit("Q_SECOND", {"n": 1}, incident_id="inc-1")
emit("Q_SECOND", {"n": 2}, incident_id="inc-2")
emit("HEARTBEAT", {"zooid": "historian", "niche": "memory", "uptime_s": 12.5, "processed_count": 3})
emit("Q_LAST", {})
socket.close()
zmq.Context.instance().term()
`;

/** Binds a socket of its own, and sends one frame of JSON again and again: nothing shows it that it is heard. */
const BOUND = `
import sys, time, zmq
socket = zmq.Context.instance().socket(zmq.PUB)
socket.bind(sys.argv[1])
n = 0
while True:
    socket.send_json({"signal": "OBSERVATION", "facts": {"zooid": "bound", "n": n}, "ts": time.time()})
    n += 1
    time.sleep(0.02)
`;

/** Ends on a message of that topic, as all programs of an older bus do. */
const KILLED = `
import sys, zmq
socket = zmq.Context.instance().socket(zmq.SUB)
socket.connect(sys.argv[1])
socket.setsockopt_string(zmq.SUBSCRIBE, "governance.kill")
while socket.recv_multipart()[0] != b"governance.kill":
    pass
print("ended", flush=True)
`;

/** Says governance.kill until it is ended: whether somebody hears it, it cannot know. */
const KILLER = `
import json, sys, time, zmq
socket = zmq.Context.instance().socket(zmq.PUB)
socket.connect(sys.argv[1])
while True:
    body = json.dumps({"signal": "governance.kill", "facts": {"reason": "shutdown"}, "ts": 1767700000.5, "schema_version": 1})
    socket.send_multipart([b"governance.kill", body.encode("utf-8")])
    time.sleep(0.02)
`;

/** Reads one frame, and drops an incident_id that it has seen within a minute. */
const RECEIVER = `
import json, sys, time, zmq
socket = zmq.Context.instance().socket(zmq.SUB)
socket.connect(sys.argv[1])
socket.setsockopt_string(zmq.SUBSCRIBE, "")
seen = {}
while True:
    message = socket.recv_json()
    incident = message.get("incident_id")
    if incident and time.time() - seen.get(incident, 0) < 60:
        print("dropped", flush=True)
        continue
    seen[incident] = time.time()
    print(json.dumps([message["signal"], message["facts"], isinstance(message["ts"], (int, float)), message["schema_version"]]), flush=True)
`;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

if (!importable) console.warn(`skipped: ${PYTHON} cannot import zmq (Debian: python3-zmq)`);

describe.skipIf(!importable)("programs of an older bus, unchanged", () => {
  const python = (script: string, ...args: string[]) =>
    new RunningProcess(["-c", script, ...args], { command: PYTHON });

  it("send each message once to the edge, are present by HEARTBEAT, bind, and read with recv_json", async () => {
    const edge = await FakeEdge.listen();
    closing.push(() => edge.close());
    const endpoints = await freeEndpoints();
    const { xpub: bound } = await freeEndpoints();
    const agent = new Agent({
      ...agentOptions(temporaryDirectory(), edge.url),
      ...endpoints,
      bus: { connect: [bound], messages: "one_frame", heartbeats: "presence" },
      sources: ["bus"],
      logger: silent,
    });
    closing.push(() => agent.stop());
    await agent.start();

    python(EMITTER, endpoints.xsub);
    const of = (name: string) => edge.log.filter(({ signal }) => signal === name);
    await edge.when(() => of("Q_LAST").length > 0);
    expect(of("Q_FIRST").map(({ facts }) => facts)).toEqual([{ n: 1 }, { n: 2 }]);
    expect(of("Q_SECOND").map(({ facts }) => facts.incident_id)).toEqual(["inc-1", "inc-2"]);
    expect(of("HEARTBEAT")).toEqual([]);
    expect(agent.status.bus).toMatchObject([{ name: "historian", state: "live", niche: "memory", processed_count: 3 }]);

    python(BOUND, bound);
    await edge.when(() => of("OBSERVATION").length > 1);
    expect(of("OBSERVATION")[0]?.facts).toMatchObject({ zooid: "bound" });

    const receiver = python(RECEIVER, endpoints.xpub);
    // Everything but measurements: the subscription of a program that reads all.
    await edge.when(() => edge.subscriptions.length > 0);
    let said = false;
    const heard = receiver.line(/^\["Q_ASKED.*$/).then((found) => {
      said = true;
      return found;
    });
    while (!said) {
      edge.append("Q_ASKED", { of: "all" });
      await Promise.race([heard, new Promise((resolve) => setTimeout(resolve, 20))]);
    }
    expect(JSON.parse((await heard)[0] ?? "")).toEqual(["Q_ASKED", { of: "all" }, true, 1]);
    expect(receiver.lines).not.toContain("dropped");
  });

  it("end on governance.kill, which the agent passes on and survives", async () => {
    const edge = await FakeEdge.listen();
    closing.push(() => edge.close());
    const endpoints = await freeEndpoints();
    const agent = new Agent({
      ...agentOptions(temporaryDirectory(), edge.url),
      ...endpoints,
      sources: ["bus"],
      logger: silent,
    });
    closing.push(() => agent.stop());
    await agent.start();
    const program = python(KILLED, endpoints.xpub);
    python(KILLER, endpoints.xsub);
    expect(await program.ended).toBe(0);
    await edge.when(() => edge.log.some(({ signal }) => signal === "governance.kill"));
    edge.append("Q_ANYTHING", {});
    expect(agent.status.link.state).toBe("connected");
  });
});
