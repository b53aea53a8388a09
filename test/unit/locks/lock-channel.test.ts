import { EventEmitter } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { WebSocket } from "ws";
import { EdgeUnreachable } from "../../../src/client/http/problem-errors.ts";
import { LockChannel } from "../../../src/client/locks/lock-channel.ts";
import { openLocks } from "../../../src/client/locks/open-locks.ts";
import type { LockChannelFrame, OutgoingLockFrame } from "../../../src/core/locks/lock-frames.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const URL = "http://127.0.0.1:1";
const ASKED = { owner: "y", ttl_ms: 1_000, mode: "exclusive", wait_ms: 5_000 } as const;
const BLOCKED = {
  name: "a",
  mode: "exclusive",
  owner: "x",
  fence: 6,
  since: "2026-01-01T00:00:00.000Z",
  expires_at: null,
  task: null,
} as const;

/** A channel whose other end is the test. */
function channelUnderTest() {
  const sent: OutgoingLockFrame[] = [];
  const socket = Object.assign(new EventEmitter(), {
    OPEN: 1,
    readyState: 1,
    send: (text: string) => sent.push(JSON.parse(text)),
    close: vi.fn(),
  });
  const channel = new LockChannel(socket as unknown as WebSocket, URL);
  const receive = (frame: LockChannelFrame | object) => channel.receive(JSON.stringify(frame));
  const held = (id: string) =>
    receive({ type: "lock", id, held: true, name: "a", mode: "exclusive", fence: 7, expires_at: BLOCKED.since });
  return { channel, sent, receive, held, lose: () => channel.ended() };
}

describe("a channel for locks", () => {
  it("answers each request by its own answer, whatever their order, and passes over frames of other kinds", async () => {
    const { channel, receive, held, sent } = channelUnderTest();
    const acquired = channel.acquire("a", ASKED);
    const released = channel.release("b", 3);
    const renewed = channel.renew("c", 4, 1_000);
    expect(sent).toEqual([
      { type: "acquire", id: "1", name: "a", ...ASKED },
      { type: "release", id: "2", name: "b", fence: 3 },
      { type: "renew", id: "3", name: "c", fence: 4, ttl_ms: 1_000 },
    ]);
    receive({ type: "of a later version", id: "1" });
    receive({ type: "refused", id: "3", problem: { type: "/problems/lock-not-held", title: "no", status: 409 } });
    receive({ type: "released", id: "2" });
    held("1");
    expect(await acquired).toMatchObject({ held: true, fence: 7 });
    expect(await released).toEqual({ released: true });
    await expect(renewed).rejects.toMatchObject({ name: "ApiProblem", problem: { status: 409 } });
  });

  it("that is lost rejects what was asked, which may be asked again", async () => {
    const { channel, lose } = channelUnderTest();
    const acquired = channel.acquire("a", ASKED);
    lose();
    await expect(acquired).rejects.toBeInstanceOf(EdgeUnreachable);
  });

  it("without an answer rejects what was asked after its wait and the time of the network", async () => {
    const { channel } = channelUnderTest();
    const acquired = channel.acquire("a", ASKED);
    const refused = expect(acquired).rejects.toBeInstanceOf(EdgeUnreachable);
    await vi.advanceTimersByTimeAsync(15_000);
    await refused;
  });

  it("takes a request back whose signal is aborted, and releases what it is given all the same", async () => {
    const { channel, sent, receive, held } = channelUnderTest();
    const leaving = new AbortController();
    const acquired = channel.acquire("a", ASKED, leaving.signal);
    receive({ type: "waiting", id: "1", holder: "x", blocked_by: BLOCKED });
    leaving.abort(new Error("enough"));
    await expect(acquired).rejects.toThrow("enough");
    expect(sent.at(-1)).toEqual({ type: "cancel", id: "1" });
    held("1");
    expect(sent.at(-1)).toEqual({ type: "release", id: "2", name: "a", fence: 7 });
  });

  it("does not release what an aborted request had not to wait for: its owner may have had it before", async () => {
    const { channel, sent, held } = channelUnderTest();
    const leaving = new AbortController();
    const acquired = channel.acquire("a", ASKED, leaving.signal);
    leaving.abort(new Error("enough"));
    await expect(acquired).rejects.toThrow("enough");
    held("1");
    expect(sent.map(({ type }) => type)).toEqual(["acquire", "cancel"]);
  });
});

/** Locks over channels that the test opens, and over a fake HTTP edge. */
function locksUnderTest() {
  const opened: ReturnType<typeof channelUnderTest>[] = [];
  const closes: (() => void)[] = [];
  let refusing = false;
  const http: string[] = [];
  vi.stubGlobal("fetch", async (url: globalThis.URL) => {
    http.push(url.pathname);
    const held = { held: true, name: "a", mode: "exclusive", fence: 9, expires_at: BLOCKED.since };
    return Response.json(url.pathname.endsWith("/release") ? { released: true } : held);
  });
  const remarks: string[] = [];
  const locks = openLocks({
    url: URL,
    token: "t",
    onRemark: (text) => remarks.push(text),
    openChannel: async ({ onClose }) => {
      if (refusing) throw new EdgeUnreachable(URL, new Error("no upgrade"));
      const one = channelUnderTest();
      opened.push(one);
      closes.push(onClose);
      return one.channel;
    },
  });
  const refuse = (value: boolean) => {
    refusing = value;
  };
  return { locks, opened, closes, http, remarks, refuse };
}
const settle = () => vi.advanceTimersByTimeAsync(0);

describe("the locks of a process", () => {
  it("open one channel for all that is asked, with the first request", async () => {
    const { locks, opened, http } = locksUnderTest();
    expect(opened).toHaveLength(0);
    const both = [1, 2].map(() => locks.acquireWaiting("a", { owner: "y", ttlMs: 1_000 }));
    await settle();
    opened[0]?.held("1");
    opened[0]?.held("2");
    expect((await Promise.all(both)).map((answer) => answer.held)).toEqual([true, true]);
    expect([opened.length, http]).toEqual([1, []]);
  });

  it("are asked again over another channel where the first is lost before the answer", async () => {
    const { locks, opened, closes } = locksUnderTest();
    const acquired = locks.acquireWaiting("a", { owner: "y", ttlMs: 1_000 });
    await settle();
    closes[0]?.();
    opened[0]?.lose();
    await vi.advanceTimersByTimeAsync(1_000);
    opened[1]?.held("1");
    expect(await acquired).toMatchObject({ held: true, fence: 7 });
    expect(opened[1]?.sent).toMatchObject([{ type: "acquire", name: "a", owner: "y" }]);
  });

  it("are asked for over HTTP while no channel can be opened, and over a channel as soon as one can", async () => {
    const { locks, opened, http, remarks, refuse } = locksUnderTest();
    refuse(true);
    expect(await locks.acquireWaiting("a", { owner: "y", ttlMs: 1_000 })).toMatchObject({ fence: 9 });
    await locks.acquireWaiting("a", { owner: "y", ttlMs: 1_000 });
    expect(http).toEqual(["/v1/default/locks/a/acquire", "/v1/default/locks/a/acquire"]);
    expect(remarks).toEqual([expect.stringContaining("locking over plain HTTP")]);
    refuse(false);
    await vi.advanceTimersByTimeAsync(30_000);
    void locks.acquireWaiting("a", { owner: "y", ttlMs: 1_000 });
    await settle();
    expect(opened[0]?.sent).toMatchObject([{ type: "acquire" }]);
  });

  it("are asked for over HTTP where the channel has no place for more that wait", async () => {
    const { locks, opened, http } = locksUnderTest();
    const acquired = locks.acquireWaiting("a", { owner: "y", ttlMs: 1_000 });
    await settle();
    const problem = { type: "/problems/channel-full", title: "full", status: 429 };
    opened[0]?.receive({ type: "refused", id: "1", problem, retry_after_ms: 5_000 });
    expect(await acquired).toMatchObject({ fence: 9 });
    expect(http).toHaveLength(1);
  });

  it("wait by requests of a minute, and tell for whom", async () => {
    const { locks, opened } = locksUnderTest();
    const onWait = vi.fn();
    const acquired = locks.acquireWaiting("a", { owner: "y", ttlMs: 1_000, onWait });
    await settle();
    opened[0]?.receive({ type: "lock", id: "1", held: false, holder: "x", blocked_by: BLOCKED });
    await settle();
    expect(opened[0]?.sent.at(-1)).toMatchObject({ type: "acquire", wait_ms: 60_000 });
    opened[0]?.held("2");
    expect(await acquired).toMatchObject({ held: true });
    expect(onWait).toHaveBeenCalledOnce();
  });
});
