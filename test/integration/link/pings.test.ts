import { expect, it } from "vitest";
import { WebSocket } from "ws";
import { LOCK_PROTOCOL } from "../../../src/core/locks/lock-frames.ts";
import { WORK_PROTOCOL } from "../../../src/core/queue/work-frames.ts";
import { LINK_PROTOCOL, PING } from "../../../src/core/wire/link-frames.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";

const ROUNDS = 60;

it("links, streams and channels whose processes die while they ping are not taken for open ones", async () => {
  const edge = await runEdge();
  await edge.client().queues.put("work", [{ recipient: "nobody", type: "t", payload: {} }]);
  await edge.client().locks.acquire("held", { owner: "first", mode: "exclusive", ttl_ms: 600_000, wait_ms: 0 });
  const waiting = { type: "acquire", id: "1", name: "held", ttl_ms: 60_000, wait_ms: 60_000 };
  for (let round = 0; round < ROUNDS; round++) {
    await dieAtPings(edge, `link?host=h${round}`, LINK_PROTOCOL);
    await dieAtPings(edge, "signals/stream");
    await dieAtPings(edge, "locks/channel", LOCK_PROTOCOL, { ...waiting, owner: `o${round}` });
    await dieAtPings(edge, "queues/work/work", WORK_PROTOCOL, { type: "ready", recipient: "r", credit: 1 });
  }
  // The edge tells nobody when the last of them has gone.
  const left = async () => {
    const { hosts, subscribers } = (await edge.client().status()).log;
    const { workers } = await edge.client().queues.status("work");
    const { locks } = await edge.client().locks.list();
    return { hosts, subscribers, workers, waiting: locks.map((lock) => lock.waiting) };
  };
  await expect.poll(left, { timeout: 10_000 }).toEqual({ hosts: [], subscribers: 0, workers: {}, waiting: [0] });
});

/** The process is gone before it has read the answers to its pings. */
async function dieAtPings(edge: RunningEdge, path: string, protocol?: string, first?: object): Promise<void> {
  const socket = new WebSocket(`${edge.url.replace("http", "ws")}/v1/default/${path}`, protocol, {
    headers: { authorization: `Bearer ${edge.token}` },
  });
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  if (first !== undefined) socket.send(JSON.stringify(first));
  for (let ping = 0; ping < 30; ping++) socket.send(PING);
  socket.terminate();
}
