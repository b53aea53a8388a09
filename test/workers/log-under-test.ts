import { env } from "cloudflare:workers";
import type { NewSignal, Signal } from "../../src/core/signals/signal.ts";
import type { Environment } from "../../src/workers/bindings/environment.ts";
import {
  deadLetters,
  observationCache,
  policyState,
  priorityQueue,
  signalLog,
} from "../../src/workers/bindings/objects.ts";

declare global {
  namespace Cloudflare {
    interface Env extends Environment {}
  }
}

export const logOf = (ecosystem: string) => signalLog(env, ecosystem);
export const observationsOf = (ecosystem: string) => observationCache(env, ecosystem);
export const policyOf = (ecosystem: string) => policyState(env, ecosystem);
export const deadLettersOf = (ecosystem: string) => deadLetters(env, ecosystem);
export const queueOf = (ecosystem: string, queue: string) => priorityQueue(env, ecosystem, queue);

export function aSignal(signal: string, facts: Record<string, unknown>, more: Partial<NewSignal> = {}): NewSignal {
  return {
    id: undefined,
    signal,
    source: "test",
    timestampMs: undefined,
    factsJson: JSON.stringify(facts),
    cause: undefined,
    trace: undefined,
    depth: undefined,
    ...more,
  };
}

export const anObservation = (
  reporter: string,
  facts: Record<string, unknown>,
  more: Partial<NewSignal> = {},
): NewSignal => aSignal("OBSERVATION", { zooid: reporter, ...facts }, more);

export interface Follower {
  next(): Promise<Signal>;
  /** What has come and was not asked for yet. */
  readonly waiting: readonly Signal[];
  readonly socket: WebSocket;
}

/** A live subscriber of the log, from now on or after a place. */
export async function follow(ecosystem: string, patterns: readonly string[], after?: number): Promise<Follower> {
  const url = new URL(`https://log/${ecosystem}/stream`);
  for (const pattern of patterns) url.searchParams.append("signal", pattern);
  if (after !== undefined) url.searchParams.set("after", String(after));
  const response = await logOf(ecosystem).fetch(url.href, { headers: { Upgrade: "websocket" } });
  const socket = response.webSocket;
  if (socket === null) throw new Error(`no WebSocket, but ${response.status}`);
  socket.accept();
  const waiting: Signal[] = [];
  const asked: ((signal: Signal) => void)[] = [];
  socket.addEventListener("message", ({ data }) => {
    const frame = JSON.parse(String(data)) as { last: number; signals: Signal[] };
    for (const signal of frame.signals) {
      const ask = asked.shift();
      if (ask === undefined) waiting.push(signal);
      else ask(signal);
    }
    socket.send(JSON.stringify({ type: "seen", seq: frame.last }));
  });
  const next = () => {
    const signal = waiting.shift();
    return signal !== undefined ? Promise.resolve(signal) : new Promise<Signal>((resolve) => asked.push(resolve));
  };
  return { next, waiting, socket };
}

/** Resolves when the policy has taken the log in up to `seq`. */
export async function untilPolicy(ecosystem: string, seq: number): Promise<void> {
  await policyOf(ecosystem).catchUp(seq);
}

/** Everything in the log, oldest first. */
export async function allOf(ecosystem: string): Promise<Signal[]> {
  const signals: Signal[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const page: { lines: readonly string[]; next: number | null } = await logOf(ecosystem).read({
      signals: [],
      after,
      limit: 1_000,
      order: "asc",
    });
    signals.push(...page.lines.map((line) => JSON.parse(line) as Signal));
    after = page.next;
  }
  return signals;
}
