import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { openSocketSource } from "../../../src/client/stream/socket-source.ts";
import { CREDIT } from "../../../src/core/signals/log/subscription.ts";
import { atEnd } from "../../harness/cleanup.ts";
import { startEdge, startLink } from "./link-under-test.ts";

const DELIVERIES = 200;

describe("acknowledgements of a link", () => {
  it("are one for two hundred deliveries that come within a second", async () => {
    const edge = await startEdge();
    const { stop } = await startLink(edge);
    await edge.when(() => edge.subscriptions.length === 1);
    for (let n = 1; n <= DELIVERIES; n++) edge.append("Q_TEST_DONE", { n });
    await edge.when(() => edge.seen.includes(DELIVERIES));
    // The second may have begun with the empty delivery that tells where the log ends.
    expect(edge.seen.length).toBeLessThanOrEqual(2);
    await stop();
  });

  it("are sent before the link closes", async () => {
    const edge = await startEdge();
    const { inbox, stop } = await startLink(edge);
    await edge.when(() => edge.subscriptions.length === 1);
    const stored = new Promise<void>((resolve) => inbox.onReceive(resolve));
    edge.append("Q_TEST_DONE", {});
    await stored;
    await stop();
    await edge.when(() => edge.seen.includes(1));
    expect(edge.seen).toEqual([1]);
  });

  it("are sent at once where the edge has more and no room", async () => {
    const edge = await startEdge();
    const { inbox, stop } = await startLink(edge);
    await edge.when(() => edge.subscriptions.length === 1);
    edge.sendToAll('{"type":"acknowledge","last":2}');
    for (const n of [1, 2, 3]) edge.append("Q_TEST_DONE", { n });
    await edge.when(() => edge.seen.includes(2));
    expect(edge.seen).not.toContain(3);
    expect(inbox.cursor).toBeGreaterThanOrEqual(2);
    await stop();
  });
});

/** A stream that sends frames with so many signals each. @returns the places that the reader acknowledged */
async function streamOf(frames: number, signals: number): Promise<{ url: URL; seen: number[]; closed: Promise<void> }> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  atEnd(() => void server.close());
  const seen: number[] = [];
  const closed = new Promise<void>((resolve) =>
    server.on("connection", (socket) => {
      socket.on("message", (data) => seen.push(JSON.parse(String(data)).seq));
      socket.on("close", resolve);
      for (let frame = 1; frame <= frames; frame++) {
        const list = Array.from({ length: signals }, (_, n) => ({ seq: (frame - 1) * signals + n + 1 }));
        socket.send(JSON.stringify({ type: "signals", last: frame * signals, signals: list }));
      }
    }),
  );
  await new Promise((resolve) => server.once("listening", resolve));
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), seen, closed };
}

describe("acknowledgements of a reader of the stream", () => {
  it("are one for two hundred frames within a second, sent at the latest when it closes", async () => {
    const { url, seen, closed } = await streamOf(DELIVERIES, 1);
    const source = await openSocketSource(url, "secret", undefined);
    for await (const batch of source) {
      source.handled(batch);
      if (batch.last === DELIVERIES) break;
    }
    source.close();
    await closed;
    expect(seen.at(-1)).toBe(DELIVERIES);
    expect(seen.length).toBeLessThanOrEqual(2);
  });

  it("come with each quarter of the credit", async () => {
    const { url, seen, closed } = await streamOf(16, CREDIT.signals / 8);
    const source = await openSocketSource(url, "secret", undefined);
    for await (const batch of source) {
      source.handled(batch);
      if (batch.last === 2 * CREDIT.signals) break;
    }
    source.close();
    await closed;
    expect(seen).toEqual(expect.arrayContaining([2_048, 4_096, 8_192, 2 * CREDIT.signals]));
    expect(seen.length).toBeLessThanOrEqual(9);
  });
});
