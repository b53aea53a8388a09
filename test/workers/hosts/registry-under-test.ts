import { env } from "cloudflare:workers";
import { expect } from "vitest";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { agentRegistry } from "../../../src/workers/bindings/objects.ts";
import { upgraded } from "../link-under-test.ts";
import { allOf } from "../log-under-test.ts";

export const registryOf = (ecosystem: string) => agentRegistry(env, ecosystem);

interface Gather {
  readonly request: string;
  readonly monitors: readonly string[];
  readonly after: Readonly<Record<string, string>>;
}
type Answer = (asked: Gather) => Record<string, unknown> | null;

export interface HostLink {
  /** The requests for facts so far. */
  readonly asked: Gather[];
  status(status: Record<string, unknown>): void;
  drop(): void;
}

/** A host's link, which sends the facts that `answer` returns; `null`: no answer. */
export async function link(
  ecosystem: string,
  host: string,
  answer: Answer = () => ({}),
  path = `https://log/${ecosystem}/link?host=${host}`,
): Promise<HostLink> {
  const response = await upgraded(ecosystem, path);
  const socket = response.webSocket;
  if (socket === null) throw new Error(`no WebSocket, but ${response.status}`);
  socket.accept();
  const asked: Gather[] = [];
  socket.addEventListener("message", ({ data }) => {
    const frame = JSON.parse(String(data)) as Gather & { type: string };
    if (frame.type !== "gather") return;
    asked.push(frame);
    const facts = answer(frame);
    if (facts !== null) socket.send(JSON.stringify({ type: "facts", request: frame.request, facts }));
  });
  return {
    asked,
    status: (status) => socket.send(JSON.stringify({ type: "status", ...status })),
    drop: () => socket.close(1000, "gone"),
  };
}

/** Names of signals with `field` of their facts, in the order of the log. */
export async function emitted(ecosystem: string, field = "host", pattern = /^Q_/): Promise<string[]> {
  const signals: Signal[] = await allOf(ecosystem);
  return signals
    .filter(({ signal }) => pattern.test(signal))
    .map(({ signal, facts }) => `${signal} ${String(facts[field])}`);
}

export async function untilEmitted(ecosystem: string, expected: readonly string[], field?: string): Promise<void> {
  await expect.poll(() => emitted(ecosystem, field), { timeout: 45_000 }).toEqual(expected);
}

export const state = async (ecosystem: string, host: string) => (await registryOf(ecosystem).agent(host))?.state;
export const links = async (ecosystem: string, host: string) => (await registryOf(ecosystem).agent(host))?.links;
