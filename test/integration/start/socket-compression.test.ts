import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { runEdge } from "../../harness/running-edge.ts";

test("an edge on one machine declines compression of WebSockets, which takes 310 KB for each of them", async () => {
  const edge = await runEdge();
  const socket = new WebSocket(`${edge.url.replace(/^http/, "ws")}/v1/quiet/signals/stream`, {
    headers: { authorization: `Bearer ${edge.token}` },
  });
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  expect(socket.extensions).toBe("");
  socket.terminate();
});
