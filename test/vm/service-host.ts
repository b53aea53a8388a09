import { setTimeout as pause } from "node:timers/promises";
import type { Signal } from "../../src/core/signals/signal.ts";
import { type RunningEdge, runEdge } from "../harness/running-edge.ts";
import { Machine, type MachineOptions } from "./machine.ts";

const UNIT = "ganglion-agent";
/** Nothing here takes as long, except in software on a computer that does ten other things. */
const PATIENCE_MS = 400_000;
const LOOK_MS = 500;
/** Over the agent's local socket, see local-agent/commands/protocol.ts. */
const ASK = `
import json, socket, sys
agent = socket.socket(socket.AF_UNIX)
agent.connect("/var/lib/ganglion/agent.sock")
agent.sendall(json.dumps({"type": "supervisor.status", "payload": {"names": sys.argv[1:]}}).encode() + b"\\n")
print(agent.makefile().read())
`;
/** By this address qemu's user network reaches the loopback interface outside. */
const OUTSIDE = "10.0.2.2";

/** A machine with the package installed, and the edge outside that it is to be linked to. */
export class ServiceHost {
  readonly machine: Machine;
  edge: RunningEdge;

  private constructor(machine: Machine, edge: RunningEdge) {
    this.machine = machine;
    this.edge = edge;
  }

  static async boot(options: MachineOptions): Promise<ServiceHost> {
    const edge = await runEdge();
    const machine = await Machine.boot(options);
    await machine.text("tar -xf /dev/vdb -C / && systemctl is-system-running --wait");
    return new ServiceHost(machine, edge);
  }

  /** The edge's address, seen from inside. */
  get url(): string {
    return this.edge.url.replace("127.0.0.1", OUTSIDE);
  }

  get text(): Machine["text"] {
    return this.machine.text.bind(this.machine);
  }

  async write(path: string, text: string, mode = "644"): Promise<void> {
    const encoded = Buffer.from(text).toString("base64");
    await this.text(`mkdir -p $(dirname ${path}) && echo ${encoded} | base64 -d > ${path} && chmod ${mode} ${path}`);
  }

  /** Properties of the service, see systemctl show. */
  async unit(): Promise<Readonly<Record<string, string>>> {
    const shown = await this.text(`systemctl show ${UNIT}`);
    return Object.fromEntries(shown.split("\n").map((line) => line.split(/=(.*)/s, 2) as [string, string]));
  }

  /** Resolves when the service is active, and linked where nothing else is said. */
  async active({ status = /^link connected$/, otherThan = "" } = {}): Promise<Readonly<Record<string, string>>> {
    return until(`the service to be active (${status})`, async () => {
      const unit = await this.unit();
      const { ActiveState, SubState, MainPID, StatusText = "" } = unit;
      if (ActiveState !== "active" || SubState !== "running" || MainPID === otherThan || !status.test(StatusText))
        throw new Error(`it is ${ActiveState} (${SubState}), process ${MainPID}, status: ${StatusText}`);
      return unit;
    });
  }

  /** All of a name that the edge has, once there are `count`. */
  async signals(name: string, wanted: (signal: Signal) => boolean = () => true, count = 1): Promise<Signal[]> {
    return until(`${count} signals ${name}`, async () => {
      const { signals } = await this.edge.client().signals({ signals: [name], order: "desc", limit: 500 });
      const found = signals.filter(wanted);
      if (found.length < count) throw new Error(`there are ${found.length}; the last: ${JSON.stringify(signals[0])}`);
      return found;
    });
  }

  async emit(signal: string, facts: Readonly<Record<string, unknown>>): Promise<void> {
    await this.edge.client().emit([{ signal, source: "outside", facts }]);
  }

  /** A file of the service's control group, or of one below it. */
  controls(group: string, file: string): Promise<string> {
    return this.text(`cat /sys/fs/cgroup/system.slice/${UNIT}.service/${group}/${file}`);
  }

  /** A supervised agent as `ganglion ps` shows it; asked without a Node, which takes half a minute to start here. */
  async agent(name: string): Promise<{ state: string; pid: number; restarts: number }> {
    const answer = await this.text(`python3 -c '${ASK}' ${name}`);
    return (JSON.parse(answer) as { result: { agents: [{ state: string; pid: number; restarts: number }] } }).result
      .agents[0];
  }

  async edgeAway(): Promise<() => Promise<void>> {
    const { url, stateDir } = this.edge;
    await this.edge.process.stop();
    return async () => {
      this.edge = await runEdge({ stateDir, port: Number(new URL(url).port) });
    };
  }
}

/** What `look` gives, once it throws no more. */
export async function until<T>(what: string, look: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() > deadline) throw new Error(`waited for ${what}: ${(error as Error).message}`);
      await pause(LOOK_MS);
    }
  }
}
