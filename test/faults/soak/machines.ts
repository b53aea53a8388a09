import { cpSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Client } from "../../../src/client/client.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { freePort } from "../../harness/free-port.ts";
import { type RunningAgent, runAgent } from "../../harness/running-agent.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { untilFile } from "../../harness/until.ts";
import type { Rng } from "../rng.ts";
import { busNumbersIn, signalsInSpool } from "../what-is-kept.ts";
import { type CuttableNetwork, openNetwork } from "./cuttable-network.ts";
import { dropFile } from "./drop-file.ts";
import { writeHostConfig, writeNeighbourConfig } from "./host-config.ts";
import { intent } from "./intent.ts";
import type { Fault } from "./plan.ts";
import { type SmallDisk, smallDisk } from "./small-disk.ts";
import { Team } from "./team.ts";

/** Of each kind, workers and responders. */
const TEAM = 2;
/** Intents that are dropped beside a fault, to be taken by the state in question. */
const BESIDE = 4;
/** Stops after which a spool has to be empty: a stop takes a while at most, and leaves the rest to the next start. */
const STOPS = 10;
/** Megabytes of the disks that are filled. */
const HOST_DISK = 64;
const EDGE_DISK = 512;

/**
 * One edge, a host and its neighbour, a bus, workers and responders: processes of their own, and everything that may befall
 * them. A fault is over when everybody is back.
 */
export class Machines {
  readonly home = temporaryDirectory();
  readonly port: number;
  readonly bus: { readonly xsub: string; readonly xpub: string };
  /** Numbers of bus signals that lay in the host's spool when it was killed: it had taken them. */
  readonly spooled = new Set<number>();
  /** Ids of the intents that faults have dropped. */
  readonly droppedBeside: string[] = [];
  readonly #rng: Rng;
  readonly #network: CuttableNetwork;
  readonly #disk: SmallDisk = smallDisk(HOST_DISK);
  readonly #edgeDisk: SmallDisk = smallDisk(EDGE_DISK);
  readonly #neighbourState = join(temporaryDirectory(), "neighbour");
  readonly #configs: { readonly host: string; readonly neighbour: string };
  #edge: RunningEdge | undefined;
  #proxy: RunningProcess | undefined;
  #host: RunningAgent | undefined;
  #neighbour: RunningAgent | undefined;
  #workers: Team | undefined;
  #responders: Team | undefined;
  #besides = 0;

  static async open(rng: Rng): Promise<Machines> {
    const [port, xsub, xpub] = [await freePort(), await freePort(), await freePort()];
    return new Machines(rng, port, [xsub, xpub], await openNetwork(port));
  }

  private constructor(rng: Rng, port: number, [xsub, xpub]: [number, number], network: CuttableNetwork) {
    this.#rng = rng;
    this.port = port;
    this.bus = { xsub: `tcp://127.0.0.1:${xsub}`, xpub: `tcp://127.0.0.1:${xpub}` };
    this.#network = network;
    const ran = join(this.home, "ran");
    mkdirSync(ran);
    this.#configs = { host: writeHostConfig(this.home, ran), neighbour: writeNeighbourConfig(this.home, ran) };
  }

  get canFill(): boolean {
    return this.#disk.canFill && this.#edgeDisk.canFill;
  }

  get edge(): RunningEdge {
    return given(this.#edge);
  }

  get crashes(): number {
    return given(this.#workers).crashes;
  }

  client(): Client {
    return this.edge.client();
  }

  intents(of: "host" | "neighbour" | "clone"): string {
    return join(this.home, "intents", of);
  }

  /** How often the commands of `what` were begun. */
  runs(what: "reactions" | "tasks" | "dropped"): number {
    return readFileSync(join(this.home, "ran", what), "utf8").length / 2;
  }

  async start(): Promise<void> {
    this.#edge = await this.#startEdge();
    const { queues } = this.client();
    const quiet = { alert_depth: null, alert_failed: null, alert_p95_ms: null, alert_task_ms: null };
    await queues.configure("work", { ...quiet, signal_complete: true, signal_failed: true, backoff_ms: 50 });
    await queues.configure("asked", { ...quiet, backoff_ms: 20 });
    this.#proxy = await this.#startProxy();
    this.#host = await this.#startHost();
    this.#neighbour = await this.#startNeighbour();
    await Promise.all([this.#host.linked(), this.#neighbour.linked()]);
    const env = { QUEUE_URL: this.edge.url, QUEUE_TOKEN: this.edge.token };
    this.#workers = new Team("test/faults/soak/soak-worker.ts", /^working$/, env);
    this.#responders = new Team("test/faults/queue/call-responder.ts", /^answering$/, env);
    await Promise.all([this.#workers.start(TEAM), this.#responders.start(TEAM)]);
  }

  async inflict(fault: Fault): Promise<void> {
    const between = (low: number, high: number) => this.#rng.between(low, high);
    switch (fault) {
      case "edge":
        await this.edge.process.killGroup();
        await pause(between(0, 500));
        this.#edge = await this.#startEdge();
        return;
      case "agent":
        await given(this.#host).process.killGroup();
        this.#noteSpool();
        await pause(between(0, 500));
        this.#host = await this.#startHost();
        return;
      case "neighbour":
        await given(this.#neighbour).process.killGroup();
        this.#neighbour = await this.#startNeighbour();
        return;
      case "worker":
        return given(this.#workers).kill(between(0, TEAM - 1));
      case "responder":
        return given(this.#responders).kill(between(0, TEAM - 1));
      case "bus":
        await given(this.#proxy).killGroup();
        await pause(between(0, 300));
        this.#proxy = await this.#startProxy();
        return;
      case "network":
        this.#network.cut();
        await pause(between(50, 2_000));
        this.#network.mend();
        return;
      case "disk":
      case "edge disk": {
        const disk = fault === "disk" ? this.#disk : this.#edgeDisk;
        disk.fill();
        await pause(between(100, 1_500));
        disk.free();
        return;
      }
      case "set back":
        return this.#setBack();
      case "clone":
        return this.#clone();
    }
  }

  /** The host hands over what it holds, and stops; so does its neighbour. */
  async comeToRest(): Promise<void> {
    this.#host = await this.#emptied(given(this.#host), () => this.#startHost());
    this.#neighbour = await this.#emptied(given(this.#neighbour), () => this.#startNeighbour());
    this.#noteSpool();
    await Promise.all([given(this.#workers).stop(), given(this.#responders).stop(), given(this.#proxy).killGroup()]);
  }

  /** What the agents said last. */
  lastLines(): string {
    return [this.#host, this.#neighbour].flatMap((agent) => agent?.process.lines.slice(-20) ?? []).join("\n");
  }

  /** A backup of the neighbour's state takes the place of the state; it numbers other signals like those that it forgot. */
  async #setBack(): Promise<void> {
    const backup = join(temporaryDirectory(), "backup");
    await this.#emptied(given(this.#neighbour), () => this.#startNeighbour());
    cpSync(this.#neighbourState, backup, { recursive: true });
    this.#neighbour = await this.#startNeighbour();
    await this.#dropBeside("neighbour");
    await this.#emptied(this.#neighbour, () => this.#startNeighbour());
    rmSync(this.#neighbourState, { recursive: true });
    cpSync(backup, this.#neighbourState, { recursive: true });
    rmSync(backup, { recursive: true });
    // By the time of the link it has given the numbers already.
    this.#network.cut();
    this.#neighbour = await this.#startNeighbour();
    await this.#dropBeside("neighbour");
    this.#network.mend();
  }

  /** The neighbour's state as a kill leaves it goes on twice, and both take things in. */
  async #clone(): Promise<void> {
    const copy = join(temporaryDirectory(), "clone");
    await given(this.#neighbour).process.killGroup();
    cpSync(this.#neighbourState, copy, { recursive: true });
    this.#neighbour = await this.#startNeighbour();
    const start = () => this.#startNeighbour(copy, "clone");
    const clone = await start();
    await Promise.all([this.#dropBeside("neighbour"), this.#dropBeside("clone")]);
    await this.#emptied(clone, start);
    rmSync(copy, { recursive: true });
  }

  /** Stops an agent when the edge has all that it holds. @returns the one that stopped */
  async #emptied(agent: RunningAgent, start: () => Promise<RunningAgent>): Promise<RunningAgent> {
    let last = agent;
    for (let stops = 1; ; stops++) {
      await last.linked();
      await last.process.stop();
      const held = signalsInSpool(last.stateDir);
      if (held === 0) return last;
      if (stops === STOPS)
        throw new Error(`after ${stops} stops the spool of ${last.host} still holds ${held} signals`);
      last = await start();
    }
  }

  /** Drops some intents, and resolves when they are taken. */
  async #dropBeside(of: "neighbour" | "clone"): Promise<void> {
    const directory = this.intents(of);
    for (let count = 0; count < BESIDE; count++) {
      const name = `beside-${++this.#besides}`;
      dropFile(directory, name, intent(name));
      this.droppedBeside.push(`intent-${name}`);
      await untilFile(join(directory, `${name}.json`), { gone: true });
    }
  }

  #noteSpool(): void {
    for (const number of busNumbersIn(this.#disk.directory)) this.spooled.add(number);
  }

  #startEdge(): Promise<RunningEdge> {
    return runEdge({ stateDir: this.#edgeDisk.directory, port: this.port });
  }

  async #startProxy(): Promise<RunningProcess> {
    const env = { KLR_CHEM_XSUB: this.bus.xsub, KLR_CHEM_XPUB: this.bus.xpub };
    const proxy = new RunningProcess(["test/faults/soak/bus-proxy.ts"], { env });
    await proxy.line(/^up$/);
    return proxy;
  }

  #startHost(): Promise<RunningAgent> {
    const env = {
      KLR_CHEM_XSUB: this.bus.xsub,
      KLR_CHEM_XPUB: this.bus.xpub,
      GANGLION_CONFIG: this.#configs.host,
      GANGLION_INTENTS_DIR: this.intents("host"),
    };
    return runAgent(this.#way(), { stateDir: this.#disk.directory, sources: ["bus", "intents"], env });
  }

  #startNeighbour(
    stateDir = this.#neighbourState,
    intents: Parameters<Machines["intents"]>[0] = "neighbour",
  ): Promise<RunningAgent> {
    const env = { GANGLION_CONFIG: this.#configs.neighbour, GANGLION_INTENTS_DIR: this.intents(intents) };
    return runAgent(this.#way(), { host: "neighbour", stateDir, env });
  }

  /** Hosts reach the edge over the network that is cut. */
  #way(): Pick<RunningEdge, "url" | "token"> {
    return { url: `http://127.0.0.1:${this.#network.port}`, token: this.edge.token };
  }
}

function given<T>(started: T | undefined): T {
  if (started === undefined) throw new Error("the machines are not started");
  return started;
}
