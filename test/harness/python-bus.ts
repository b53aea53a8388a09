import { spawnSync } from "node:child_process";
import { RunningProcess } from "./running-process.ts";

/** Debian's Python, which has python3-zmq; another one on the path may not. */
const found = ["/usr/bin/python3", "python3"].find((command) => spawnSync(command, ["-c", "import zmq"]).status === 0);
export const PYTHON = found ?? "python3";

/** Without python3-zmq the tests that need it are skipped, and say so. `.ci/run` installs it. */
export const hasPythonBus = found !== undefined;

/** Reads a line `<count> <percent> <form>` at a time and publishes as many observations. */
const PUBLISHER = `
import json, sys, time, zmq
socket = zmq.Context().socket(zmq.XPUB)
socket.connect(sys.argv[1])
socket.recv()
print("listened to", flush=True)
for line in sys.stdin:
    count, percent = line.split()
    for n in range(int(count)):
        body = json.dumps({"signal": "OBSERVATION", "source": "python", "ecosystem": "old", "timestamp": time.time(),
                           "facts": {"zooid": "py-worker", "ok": True, "cpu_percent": float(percent)}}).encode()
        socket.send_multipart([b"OBSERVATION", body] if n % 2 else [body])
    print("sent", count, percent, flush=True)
`;

const SUBSCRIBER = `
import json, sys, zmq
socket = zmq.Context().socket(zmq.SUB)
socket.connect(sys.argv[1])
socket.setsockopt(zmq.SUBSCRIBE, b"")
# Before its subscription has arrived, what is said is lost to it: it hears once it has heard itself.
probe = zmq.Context.instance().socket(zmq.PUB)
probe.connect(sys.argv[2])
while not socket.poll(20):
    probe.send_multipart([b"Q_PROBE", json.dumps({"signal": "Q_PROBE", "source": "probe", "facts": {}}).encode()])
probe.close()
print("subscribed", flush=True)
while True:
    print(json.dumps([frame.decode() for frame in socket.recv_multipart()]), flush=True)
`;

/** Something that publishes on the bus as the daemons of a host do. */
export class PythonPublisher {
  readonly #process: RunningProcess;
  #batches = 0;

  constructor(xsub: string) {
    this.#process = new RunningProcess(["-c", PUBLISHER, xsub], { command: PYTHON, stdin: "pipe" });
  }

  /** Resolves when somebody on the bus wants what it says: before that a publisher's words are lost. */
  async heard(): Promise<void> {
    await this.#process.line(/^listened to$/);
  }

  /** Half of them in one frame, half in two. */
  async observe(count: number, cpuPercent: number): Promise<void> {
    this.#process.child.stdin?.write(`${count} ${cpuPercent}\n`);
    this.#batches++;
    await this.#process.times(/^sent /, this.#batches);
  }
}

export class PythonSubscriber {
  readonly #process: RunningProcess;

  constructor({ xsub, xpub }: { readonly xsub: string; readonly xpub: string }) {
    this.#process = new RunningProcess(["-c", SUBSCRIBER, xpub, xsub], { command: PYTHON });
  }

  async subscribed(): Promise<void> {
    await this.#process.line(/^subscribed$/);
  }

  /** Resolves with the first signal of that name, now or later. */
  async signal(name: string): Promise<BusSignal> {
    const [line = ""] = await this.#process.line(new RegExp(`^\\["${name}", .*$`));
    return read(line);
  }

  /** All signals so far that are neither observations nor its own probes. */
  get heard(): BusSignal[] {
    return this.#process.lines
      .filter((line) => line.startsWith('["'))
      .map(read)
      .filter(({ signal }) => signal !== "OBSERVATION" && signal !== "Q_PROBE");
  }
}

export interface BusSignal {
  readonly id: string;
  readonly signal: string;
  readonly cause?: string;
  readonly facts: Record<string, unknown>;
}

function read(line: string): BusSignal {
  const frames = JSON.parse(line) as string[];
  return JSON.parse(frames.at(-1) ?? "{}") as BusSignal;
}
