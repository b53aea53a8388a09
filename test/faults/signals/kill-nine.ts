import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { freePort } from "../../harness/free-port.ts";
import { type RunningAgent, runAgent } from "../../harness/running-agent.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { first, within } from "../../harness/until.ts";
import { connectPublisher } from "../../integration/bus/bus-parts.ts";
import { Rng } from "../rng.ts";
import { busNumbersIn, readLog } from "../what-is-kept.ts";

export interface KillOptions {
  readonly seed: number;
  /** How often the agent or the edge is killed. */
  readonly kills: number;
  /** Signals in all: a tenth from intent files, the rest from the bus and from a client in equal parts. */
  readonly signals: number;
  readonly say?: (line: string) => void;
}

export interface KillOutcome {
  /** The whole log, in order. */
  readonly log: readonly Signal[];
  readonly sent: { readonly intents: number; readonly bus: number; readonly client: number };
  /** Numbers of bus signals that lay in the agent's spool when it was killed: it had taken them. */
  readonly spooled: ReadonlySet<number>;
  readonly killed: { readonly agent: number; readonly edge: number };
}

/**
 * Kills the agent and the edge with SIGKILL at random moments while signals flow in from intent files, from the bus and
 * from a client that tries again until it is answered; then lets everything come to rest and reads the log.
 */
export async function killNine({ seed, kills, signals, say = () => {} }: KillOptions): Promise<KillOutcome> {
  const rng = new Rng(seed);
  const [xsub, xpub] = [await freePort(), await freePort()].map((port) => `tcp://127.0.0.1:${port}`) as [
    string,
    string,
  ];
  const port = await freePort();
  const edgeState = temporaryDirectory();
  const agentState = temporaryDirectory();
  // The links of one life of the edge go to a relay, those of another to the log.
  const startEdge = () =>
    runEdge({ stateDir: edgeState, port, env: { GANGLION_LINK_RELAY_LINKS: rng.pick(["0", "off"]) } });
  const startAgent = (edge: RunningEdge) =>
    runAgent(edge, {
      stateDir: agentState,
      sources: ["bus", "intents"],
      env: { KLR_CHEM_XSUB: xsub, KLR_CHEM_XPUB: xpub },
    });

  let edge = await startEdge();
  let agent: RunningAgent = await startAgent(edge);
  const spooled = new Set<number>();
  const killed = { agent: 0, edge: 0 };
  const sent = { intents: Math.floor(signals / 10), bus: 0, client: 0 };
  sent.bus = Math.floor((signals - sent.intents) / 2);
  sent.client = signals - sent.intents - sent.bus;

  // The signals flow for about as long as the killing lasts: a pause of 0.4 s and a start of 0.6 s each.
  const lastsMs = kills * 1_000;
  const flowing = Promise.all([
    dropIntents(agent.intentsDir, sent.intents, new Pace(seed + 1, sent.intents / 20, lastsMs)),
    publish(xsub, sent.bus, new Pace(seed + 2, sent.bus / 50, lastsMs)),
    emit(edge, sent.client, new Pace(seed + 3, sent.client / 37, lastsMs)),
  ]);
  for (let round = 1; round <= kills; round++) {
    await pause(rng.between(20, 700));
    if (rng.next() < 0.5) {
      await agent.process.killGroup();
      for (const number of busNumbersIn(agentState)) spooled.add(number);
      agent = await startAgent(edge);
      killed.agent++;
    } else {
      await edge.process.killGroup();
      edge = await startEdge();
      killed.edge++;
    }
    say(`kill ${round} of ${kills}: ${killed.agent} times the agent, ${killed.edge} times the edge`);
  }
  await within(flowing, "everything to be sent", 300_000);
  say("everything is sent; waiting for the agent to hand over what it holds");
  await untilIntentsAreGone(agent, edge, sent.intents);
  // A clean stop drains the spool first; whatever is left would be a signal that never arrives.
  await agent.process.stop();
  for (const number of busNumbersIn(agentState)) spooled.add(number);
  agent = await startAgent(edge);
  await agent.linked();
  await agent.process.stop();
  const log = await readLog(edge);
  await edge.process.stop();
  return { log, sent, spooled, killed };
}

/** Spreads pauses of random length over a time. */
class Pace {
  readonly rng: Rng;
  readonly #meanMs: number;

  constructor(seed: number, pauses: number, lastsMs: number) {
    this.rng = new Rng(seed);
    this.#meanMs = lastsMs / Math.max(1, pauses);
  }

  pause(): Promise<void> {
    return pause(this.rng.next() * 2 * this.#meanMs);
  }
}

async function dropIntents(directory: string, count: number, pace: Pace): Promise<void> {
  for (let n = 1; n <= count; n++) {
    const hidden = join(directory, `.${n}.tmp`);
    writeFileSync(
      hidden,
      JSON.stringify({ id: `intent-${n}`, type: "discover.module.m", data: { question: `q ${n}` } }),
    );
    renameSync(hidden, join(directory, `${n}.json`));
    if (n % 20 === 0) await pace.pause();
  }
}

async function publish(xsub: string, count: number, pace: Pace): Promise<void> {
  const publisher = await connectPublisher(xsub);
  for (let n = 1; n <= count; n++) {
    const signal = JSON.stringify({ signal: "Q_BUS_SPOKE", source: "daemon", facts: { n } });
    await publisher.send(n % 2 === 0 ? ["Q_BUS_SPOKE", signal] : [signal]);
    if (n % 50 === 0) await pace.pause();
  }
  publisher.close();
}

async function emit(edge: RunningEdge, count: number, pace: Pace): Promise<void> {
  const client = edge.client();
  for (let n = 1; n <= count; ) {
    const size = Math.min(pace.rng.pick([1, 10, 100]), count - n + 1);
    const batch = Array.from({ length: size }, (_, place) => ({
      id: `client-${n + place}`,
      signal: "Q_CLIENT_SPOKE",
      source: "client",
      facts: { n: n + place },
    }));
    try {
      await client.emit(batch);
      n += size;
      await pace.pause();
    } catch {
      // Nobody answered, after several tries: the same batch again, with the same ids.
      await pause(50);
    }
  }
}

/** Resolves when the log has a signal for every intent file. */
async function untilIntentsAreGone(agent: RunningAgent, edge: RunningEdge, count: number): Promise<void> {
  await agent.linked();
  const asked = new Set<unknown>();
  const follow = edge.client().follow({ after: 0, signals: ["Q_CURIOSITY_INVESTIGATE"] });
  const isLast = ({ facts }: Signal) => asked.add(facts.question_id).size === count;
  await first(follow, isLast, `${count} intents`, 300_000).catch((error: Error) => {
    throw new Error(`${error.message}: ${asked.size} came`);
  });
}
