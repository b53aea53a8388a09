import { get, type IncomingMessage } from "node:http";
import { beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { IN_FLIGHT } from "../../../src/core/signals/log/in-flight.ts";
import { MAX_UNREAD_SUBSCRIPTIONS } from "../../../src/core/signals/log/subscription.ts";
import { atEnd } from "../../harness/cleanup.ts";
import { eventually } from "../../harness/eventually.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";

const SIGNALS = 320;
/** Together many times what may be on its way. */
const FACTS = { text: "x".repeat(50_000) };

let edge: RunningEdge;
beforeEach(async () => {
  edge = await runEdge();
  for (let first = 0; first < SIGNALS; first += 20)
    await edge.client().emit(Array.from({ length: 20 }, () => ({ signal: "Q_LARGE", source: "test", facts: FACTS })));
});

const authorization = () => `Bearer ${edge.token}`;
const bytesInFlight = async () => (await edge.client().status()).log.bytes_in_flight;
const alive = async () => (await fetch(`${edge.url}/healthz`)).status;

/** A WebSocket whose other end finds nobody reading. */
async function unread(path: string): Promise<WebSocket> {
  const socket = new WebSocket(`${edge.url.replace("http", "ws")}${path}`, {
    headers: { authorization: authorization() },
    perMessageDeflate: false,
  });
  atEnd(() => socket.terminate());
  socket.on("error", () => undefined);
  await new Promise((resolve) => socket.once("open", resolve));
  socket.pause();
  return socket;
}

/** An answer of which nobody reads more than its head. */
function unreadAnswer(path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = get(`${edge.url}${path}`, { agent: false, headers: { authorization: authorization() } }, resolve);
    atEnd(() => void request.destroy());
    request.on("error", reject);
  });
}

/** What sockets of one token may have on their way, those included that were sent their least. */
const boundOf = (sockets: number) => IN_FLIGHT.tokenBytes + sockets * (IN_FLIGHT.leastBytes + 60_000);

describe("readers that do not read", () => {
  it("take a bounded part of the memory by subscribing again and again, and the edge goes on answering", async () => {
    const links = await Promise.all(Array.from({ length: 10 }, (_, n) => unread(`/v1/default/link?host=h${n}`)));
    for (let times = 0; times < 95; times++) {
      for (const link of links) link.send(JSON.stringify({ type: "subscribe", after: 0, signals: [] }));
    }
    expect(await alive()).toBe(200);
    await eventually(async () => expect(await bytesInFlight()).toBeGreaterThan(IN_FLIGHT.socketBytes));
    // An answer to something that came after all those frames shows that they were handled.
    const { ids } = await edge.client().emit({ signal: "Q_AFTER", source: "test", facts: {} });
    expect(ids).toHaveLength(1);
    expect(await bytesInFlight()).toBeLessThan(boundOf(links.length * MAX_UNREAD_SUBSCRIPTIONS));
    for (const link of links) link.terminate();
    await eventually(async () => expect(await bytesInFlight()).toBe(0));
  });

  it("are cut off when they claim to have seen what was never sent", async () => {
    const link = await unread("/v1/default/link?host=liar");
    link.send(JSON.stringify({ type: "subscribe", after: 0, signals: [] }));
    for (let times = 0; times < 200; times++) link.send(JSON.stringify({ type: "seen", seq: 9e15 }));
    const closed = new Promise((resolve) => link.once("close", (code, reason) => resolve([code, String(reason)])));
    expect(await bytesInFlight()).toBeLessThan(boundOf(1));
    link.resume();
    expect(await closed).toEqual([1002, expect.stringContaining("seen 9000000000000000 claims more than was sent")]);
    await eventually(async () => expect(await bytesInFlight()).toBe(0));
  });

  it("of server-sent events take a bounded part of the memory, and give it back when they leave", async () => {
    const answers = await Promise.all(
      Array.from({ length: 150 }, () => unreadAnswer("/v1/default/signals/stream?after=0")),
    );
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(answers.map(() => 200));
    expect(await alive()).toBe(200);
    expect(await bytesInFlight()).toBeLessThan(boundOf(answers.length));
    for (const answer of answers) answer.destroy();
    await eventually(async () => expect(await bytesInFlight()).toBe(0));
  });

  it("do not keep signals from one who reads", async () => {
    await Promise.all(
      Array.from({ length: 40 }, async (_, n) =>
        (await unread(`/v1/default/link?host=still${n}`)).send(
          JSON.stringify({ type: "subscribe", after: 0, signals: [] }),
        ),
      ),
    );
    await eventually(async () => expect(await bytesInFlight()).toBeGreaterThan(IN_FLIGHT.tokenBytes / 2));
    const seqs: number[] = [];
    for await (const { seq } of edge.client().follow({ after: 0 })) if (seqs.push(seq) === SIGNALS) break;
    expect(seqs).toEqual(Array.from({ length: SIGNALS }, (_, place) => place + 1));
  });
});
