import { describe, expect, it } from "vitest";
import { CREDIT } from "../../../src/core/signals/log/subscription.ts";
import { call, freshEcosystem, post } from "../api/calls.ts";

const FACTS = { text: "x".repeat(50_000) };

async function fill(eco: string, megabytes: number): Promise<void> {
  const twenty = Array.from({ length: 20 }, () => ({ signal: "Q_LARGE", source: "test", facts: FACTS }));
  for (let written = 0; written < megabytes; written++) await post(`/v1/${eco}/signals`, twenty);
}

/** A reader that acknowledges only by {@link send}. */
async function openReader(eco: string, after: number) {
  const { webSocket: socket } = await call(`/v1/${eco}/signals/stream?after=${after}`, {
    headers: { Upgrade: "websocket", "Ganglion-Acknowledge": "on-request" },
  });
  if (socket === null) throw new Error("no WebSocket");
  const frames: { type: string; last: number }[] = [];
  let look: () => void = () => undefined;
  socket.addEventListener("message", ({ data }) => {
    const { type, last } = JSON.parse(String(data));
    frames.push({ type, last });
    look();
  });
  socket.accept();
  const when = (until: () => boolean) =>
    new Promise<void>((resolve) => {
      look = () => {
        if (until()) resolve();
      };
      look();
    });
  const seen = (seq: number) => socket.send(JSON.stringify({ type: "seen", seq }));
  const requests = () => frames.filter(({ type }) => type === "acknowledge");
  return { frames, when, seen, requests, close: () => socket.close() };
}

describe("a log that has more for a subscriber, and no room", () => {
  it("requests the acknowledgement of what it has sent, once, and goes on with it", async () => {
    const eco = freshEcosystem();
    await fill(eco, 2 + CREDIT.bytes / (1024 * 1024));
    const reader = await openReader(eco, 0);
    await reader.when(() => reader.requests().length > 0);
    const request = reader.frames.at(-1);
    expect(request).toEqual({ type: "acknowledge", last: reader.frames.at(-2)?.last });
    await post(`/v1/${eco}/signals`, { signal: "Q_SMALL", source: "test", facts: {} });
    reader.seen(request?.last ?? 0);
    await reader.when(() => reader.frames.at(-1)?.last === 121);
    expect(reader.requests()).toHaveLength(1);
    reader.close();
  });

  it("requests those of others that have taken the room, and sends nothing of the kind to who is up to date", async () => {
    const eco = freshEcosystem();
    await fill(eco, 4);
    const idle = await openReader(eco, 80);
    // Within their own credit, but more than a token may have in flight together.
    const readers = await Promise.all(Array.from({ length: 8 }, () => openReader(eco, 0)));
    await Promise.all(readers.map((reader) => reader.when(() => reader.requests().length > 0)));
    expect(idle.frames).toEqual([]);
    for (const reader of [idle, ...readers]) reader.close();
  });
});
