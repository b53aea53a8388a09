import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { STALLED_MS } from "../../../src/durable-objects/signals/subscriber-feed.ts";
import { priorityQueue } from "../../../src/workers/bindings/objects.ts";
import { call, freshEcosystem } from "../api/calls.ts";
import { aSignal, follow, logOf } from "../log-under-test.ts";
import { aTask, queueOver } from "../queue/queue-under-test.ts";

afterEach(() => void vi.useRealTimers());

/** More than a reader who acknowledges nothing has credit for. */
async function fill(eco: string): Promise<void> {
  for (let batch = 0; batch < 12; batch++)
    await logOf(eco).append({ signals: Array.from({ length: 1_000 }, () => aSignal("Q_A", {})) });
}

/** The end of a socket whose reader acknowledges every frame, or none. */
async function reader(eco: string, acknowledges: boolean) {
  const answer = await logOf(eco).fetch(`https://log/${eco}/stream?after=0`, { headers: { Upgrade: "websocket" } });
  const socket = answer.webSocket;
  if (socket === null) throw new Error(`no WebSocket, but ${answer.status}`);
  let taken = 0;
  let closedWith: number | undefined;
  const closed = new Promise<number>((resolve) =>
    socket.addEventListener("close", ({ code }) => {
      closedWith = code;
      resolve(code);
    }),
  );
  socket.addEventListener("message", ({ data }) => {
    const { last } = JSON.parse(String(data)) as { last: number };
    taken = last;
    if (acknowledges) socket.send(JSON.stringify({ type: "seen", seq: last }));
  });
  socket.accept();
  return { closed, taken: () => taken, closedWith: () => closedWith };
}

describe("a reader of the log who takes nothing for a minute", () => {
  it("is cut off, and those who read are not", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const eco = freshEcosystem();
    await fill(eco);
    const [stalled, reading] = [await reader(eco, false), await reader(eco, true)];
    await expect.poll(reading.taken).toBe(12_000);
    vi.setSystemTime(Date.now() + STALLED_MS);
    await runDurableObjectAlarm(logOf(eco));
    expect(await stalled.closed).toBe(1013);
    expect(stalled.taken()).toBeLessThan(12_000);
    expect(reading.closedWith()).toBeUndefined();
    expect((await logOf(eco).status()).bytes_in_flight).toBe(0);
  });

  it("of server-sent events finds in what was left for it that it was cut off, and resumes", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const eco = freshEcosystem();
    await fill(eco);
    const answer = await call(`/v1/${eco}/signals/stream?after=0`, { headers: { Accept: "text/event-stream" } });
    // When one who reads has everything, the other one was sent what it has credit for.
    await expect.poll((await reader(eco, true)).taken).toBe(12_000);
    vi.setSystemTime(Date.now() + STALLED_MS);
    await runDurableObjectAlarm(logOf(eco));
    const text = await answer.text();
    expect(text).toContain(": cut off: nothing was acknowledged for 60 s");
    const last = [...text.matchAll(/^id: (\d+)$/gm)].at(-1)?.[1] ?? "none";
    const again = await call(`/v1/${eco}/signals?after=${last}&order=asc&limit=1`);
    expect(await again.json()).toMatchObject({ signals: [{ seq: Number(last) + 1 }] });
  });
});

describe("three hundred readers for whom nothing comes", () => {
  it("keep no signal from one who reads, and stay open while the log sleeps", async () => {
    const eco = freshEcosystem();
    let closed = 0;
    const idle = Array.from({ length: 300 }, async () => {
      const { socket } = await follow(eco, ["Q_NEVER"]);
      socket.addEventListener("close", () => {
        closed++;
      });
    });
    await Promise.all(idle);
    const reader = await follow(eco, ["Q_A"]);
    await evictDurableObject(logOf(eco));
    await logOf(eco).append({ signals: [aSignal("Q_A", { n: 1 })] });
    expect((await reader.next()).facts).toEqual({ n: 1 });
    await expect.poll(async () => (await logOf(eco).status()).bytes_in_flight).toBe(0);
    expect(closed).toBe(0);
  });
});

describe("a follower of a queue's events who takes none", () => {
  it("is cut off when it is too far behind, and resumes with its last event", async () => {
    const eco = freshEcosystem();
    const queue = queueOver(eco);
    await queue.put(aTask());
    const answer = await priorityQueue(env, eco, "work").fetch("https://object/events?tail=1", {
      headers: { Upgrade: "websocket" },
    });
    const socket = answer.webSocket;
    if (socket === null) throw new Error(`no WebSocket, but ${answer.status}`);
    const closed = new Promise<number>((resolve) => socket.addEventListener("close", ({ code }) => resolve(code)));
    socket.accept();
    for (let batch = 0; batch < 4; batch++) await queue.put(Array.from({ length: 900 }, () => aTask({ payload: 0 })));
    expect(await closed).toBe(1013);
    expect((await queue.put(aTask())).status).toBe(202);
  });
});
