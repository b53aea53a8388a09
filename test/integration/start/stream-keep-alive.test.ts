import { expect, it } from "vitest";
import { WebSocket } from "ws";
import { atEnd } from "../../harness/cleanup.ts";
import { runEdge } from "../../harness/running-edge.ts";

it("a quiet WebSocket stream is sent empty frames, and its pings are answered", async () => {
  const edge = await runEdge({ env: { GANGLION_STREAM_KEEPALIVE_SECONDS: "1" } });
  await edge.client().emit({ signal: "Q_BEFORE", source: "test", facts: {} });
  const socket = new WebSocket(`${edge.url.replace("http", "ws")}/v1/default/signals/stream`, {
    headers: { authorization: `Bearer ${edge.token}` },
  });
  atEnd(() => socket.terminate());
  const texts: string[] = [];
  const came = new Promise<void>((resolve) =>
    socket.on("message", (data) => {
      if (texts.push(String(data)) === 3) resolve();
    }),
  );
  await new Promise((resolve) => socket.once("open", resolve));
  socket.send("ping");
  await came;
  expect(texts).toContain("pong");
  const frames = texts.filter((text) => text !== "pong").map((text) => JSON.parse(text));
  expect(frames).toEqual(frames.map(() => ({ type: "signals", last: 1, signals: [] })));
});
