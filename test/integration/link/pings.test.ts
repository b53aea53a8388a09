import { expect, it } from "vitest";
import { WebSocket } from "ws";
import { WORK_PROTOCOL } from "../../../src/core/queue/work-frames.ts";
import { LINK_PROTOCOL, PING } from "../../../src/core/wire/link-frames.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";

const ROUNDS = 60;

it("links, streams and workers' channels whose processes die while they ping are not taken for open ones", async () => {
  const edge = await runEdge();
  await edge.client().queues.put("work", [{ recipient: "nobody", type: "t", payload: {} }]);
  for (let round = 0; round < ROUNDS; round++) {
    await dieAtPings(edge, `link?host=h${round}`, LINK_PROTOCOL);
    await dieAtPings(edge, "signals/stream");
    await dieAtPings(edge, "queues/work/work", WORK_PROTOCOL, { type: "ready", recipient: "r", credit: 1 });
  }
  // The edge tells nobody when the last of them has gone.
  const left = async () => {
    const { hosts, subscribers } = (await edge.client().status()).log;
    const { workers } = await edge.client().queues.status("work");
    return { hosts, subscribers, workers };
  };
  await expect.poll(left, { timeout: 10_000 }).toEqual({ hosts: [], subscribers: 0, workers: {} });
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
