import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSettings } from "../../local-agent/config/settings.ts";
import { factsFrame } from "../../local-agent/link/host-frames.ts";
import { LanePacing } from "../../local-agent/link/lane-pacing.ts";
import { Acknowledger } from "../../src/core/signals/log/acknowledger.ts";
import { PaceFrame } from "../../src/core/wire/link-frames.ts";
import type { EdgeUnderTest } from "../edge-under-test.ts";
import { type BareLink, openLink } from "../link-client.ts";

interface FleetOptions {
  readonly hosts: number;
  /** Interval of the hosts' own measurements; `null`: they take none. */
  readonly samplerSeconds: number | null;
}

export interface Sent {
  readonly signals: number;
  readonly frames: number;
  readonly acknowledgements: number;
}

/**
 * Hosts of a fleet, in this process. Each gathers, subscribes and acknowledges as an agent with default settings does; it
 * has no spool, so that a thousand agents do not need more processor than the edge.
 */
export class Fleet {
  readonly #hosts: readonly Host[];

  private constructor(hosts: readonly Host[]) {
    this.#hosts = hosts;
  }

  static async start(edge: EdgeUnderTest, { hosts, samplerSeconds }: FleetOptions): Promise<Fleet> {
    const subscribe = defaultSubscription(edge);
    const links = Array.from({ length: hosts }, async (_, number) => {
      const name = `host-${number}`;
      return new Host(name, await openLink(edge, name), subscribe);
    });
    const fleet = new Fleet(await Promise.all(links));
    if (samplerSeconds !== null) for (const host of fleet.#hosts) host.emitEvery(samplerSeconds * 1_000, "sampler", 1);
    return fleet;
  }

  get sent(): Sent {
    const sum = (of: (sent: Sent) => number) => this.#hosts.reduce((all, { sent }) => all + of(sent), 0);
    return {
      signals: sum(({ signals }) => signals),
      frames: sum(({ frames }) => frames),
      acknowledgements: sum(({ acknowledgements }) => acknowledgements),
    };
  }

  /** Each agent emits once a second, at a time of its own. @param observationShare - 0 to 1 */
  emit(agentsPerHost: number, observationShare: number): void {
    for (const host of this.#hosts)
      for (let agent = 0; agent < agentsPerHost; agent++) host.emitEvery(1_000, `agent-${agent}`, observationShare);
  }

  stop(): void {
    for (const host of this.#hosts) host.stop();
  }
}

/** What an agent subscribes to while nothing on its host asks for signals. */
function defaultSubscription(edge: EdgeUnderTest): readonly string[] {
  const directory = mkdtempSync(join(tmpdir(), "ganglion-bill-"));
  const { subscribe } = readSettings({ GANGLION_TOKEN: edge.token, GANGLION_STATE_DIR: directory }, directory);
  rmSync(directory, { recursive: true, force: true });
  return Array.isArray(subscribe) ? subscribe : ["!*"];
}

class Host {
  readonly #name: string;
  readonly #link: BareLink;
  readonly #producer: string;
  readonly #pacing = new LanePacing();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #acknowledger: Acknowledger;
  #unsent: string[] = [];
  #next = 1;
  #batch = 0;
  #due: NodeJS.Timeout | undefined;
  readonly sent = { signals: 0, frames: 0, acknowledgements: 0 };

  constructor(name: string, link: BareLink, subscribe: readonly string[]) {
    this.#name = name;
    this.#link = link;
    this.#producer = `${name}.${Math.random().toString(36).slice(2)}.local`;
    this.#acknowledger = new Acknowledger({
      send: (seq) => {
        this.sent.acknowledgements++;
        link.send(`{"type":"seen","seq":${seq}}`);
      },
      later: (ms, run) => {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
    });
    link.onSignals = (text, last) => this.#acknowledger.handled(last, 1, text.length);
    link.onFrame = (frame) => this.#answer(frame);
    link.send(JSON.stringify({ type: "subscribe", after: null, signals: subscribe }));
    this.#pacing.sent(true, Number.NEGATIVE_INFINITY);
  }

  /** @param observationShare - of the signals; the others are signals to which no rule subscribes */
  emitEvery(intervalMs: number, agent: string, observationShare: number): void {
    let number = 0;
    let atMs = performance.now() + Math.random() * intervalMs;
    let timer: NodeJS.Timeout | undefined;
    const plan = () => {
      if (timer !== undefined) this.#timers.delete(timer);
      timer = setTimeout(emit, Math.max(0, atMs - performance.now()));
      this.#timers.add(timer);
    };
    const emit = () => {
      // A machine that is late catches up: the rate is that of the case.
      for (; atMs <= performance.now(); atMs += intervalMs) {
        const observation = Math.floor((number + 1) * observationShare) > Math.floor(number * observationShare);
        this.#put(
          signalText(observation ? "OBSERVATION" : "Q_BENCH_TICK", `${this.#name}/${agent}`, number++),
          observation,
        );
      }
      plan();
    };
    plan();
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    clearTimeout(this.#due);
    this.#acknowledger.end();
    this.#link.close();
  }

  #put(text: string, observation: boolean): void {
    this.#unsent.push(text);
    this.#pacing.put(1, observation);
    this.#pump();
  }

  #pump(): void {
    const nowMs = performance.now();
    const untilMs = this.#pacing.waitingUntil(nowMs);
    clearTimeout(this.#due);
    if (untilMs !== undefined) {
      this.#due = setTimeout(() => this.#pump(), untilMs - nowMs + 1);
      return;
    }
    if (this.#unsent.length === 0) return;
    const signals = this.#unsent;
    this.#unsent = [];
    this.#link.send(
      `{"type":"append","batch":${this.#batch++},"producer":"${this.#producer}","first":${this.#next},"signals":[${signals.join(",")}]}`,
    );
    this.#next += signals.length;
    this.sent.signals += signals.length;
    this.sent.frames++;
    this.#pacing.sent(true, nowMs);
  }

  #answer(frame: { readonly type: string; readonly request?: unknown; readonly last?: unknown }): void {
    if (frame.type === "gather") this.#link.send(factsFrame(String(frame.request), {}));
    else if (frame.type === "pace") this.#pacing.pace = PaceFrame.parse(frame);
    else if (frame.type === "acknowledge") this.#acknowledger.request(Number(frame.last));
    else if (frame.type !== "appended") throw new Error(`the edge answered ${JSON.stringify(frame)}`);
  }
}

/** A signal such as agents send once a second: 448 bytes in the log. */
function signalText(signal: string, zooid: string, number: number): string {
  const facts = { zooid, ok: true, ttr_ms: 12.5, niche: "bench", number, note: "x".repeat(120) };
  return JSON.stringify({ signal, source: zooid, timestamp: new Date().toISOString(), facts });
}
