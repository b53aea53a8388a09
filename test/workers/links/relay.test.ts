import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { LINKS_OF_RELAY } from "../../../src/core/links/place-of-link.ts";
import { RELAY_HEADER } from "../../../src/durable-objects/signals/relay-calls.ts";
import { linkRelay } from "../../../src/workers/bindings/objects.ts";
import { call, freshEcosystem } from "../api/calls.ts";
import { crash } from "../crash.ts";
import { allOf, aSignal, logOf } from "../log-under-test.ts";

interface Frame {
  readonly type: string;
  readonly last?: number;
  readonly batch?: number | null;
  readonly signals?: readonly { readonly seq: number; readonly signal: string; readonly facts: { n?: number } }[];
  readonly problem?: { readonly type: string };
  readonly request?: string;
  readonly complete?: { readonly number: number; readonly seq: number };
}

const relayOf = (eco: string, name = "1") => linkRelay(env, eco, name);

async function upgrade(eco: string, host: string, who: Record<string, string> = {}, relay = "1"): Promise<Response> {
  const query = new URLSearchParams({ host, right: "any", token: "t1", ...who });
  return relayOf(eco, relay).fetch(`https://relay/${eco}/link?${query}`, { headers: { Upgrade: "websocket" } });
}

/** A link that acknowledges what it is sent. */
async function open(eco: string, host: string, who: Record<string, string> = {}, relay = "1") {
  const response = await upgrade(eco, host, who, relay);
  const socket = response.webSocket;
  if (socket === null) throw new Error(`refused: ${response.status} ${await response.text()}`);
  const frames: Frame[] = [];
  let looks: (() => void)[] = [];
  const send = (frame: object) => socket.send(JSON.stringify(frame));
  socket.addEventListener("message", ({ data }) => {
    const frame: Frame = JSON.parse(String(data));
    frames.push(frame);
    if (frame.type === "signals") send({ type: "seen", seq: frame.last });
    if (frame.type === "gather") send({ type: "facts", request: frame.request, facts: { health: { of: host } } });
    for (const look of looks) look();
  });
  const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener("close", resolve));
  socket.accept();
  const first = (matches: (frame: Frame) => boolean) =>
    new Promise<Frame>((resolve) => {
      const look = () => {
        const found = frames.find(matches);
        if (found === undefined) return;
        looks = looks.filter((one) => one !== look);
        resolve(found);
      };
      looks.push(look);
      look();
    });
  const numbers = () => frames.flatMap(({ signals = [] }) => signals.map(({ facts }) => facts.n));
  const got = (n: number) => first(() => numbers().includes(n));
  const subscribe = (after: number | null, signals: readonly string[], number = 1) =>
    send({ type: "subscribe", after, signals, number });
  /** From the end of the log on; resolves when that is known. */
  const follow = async (...signals: string[]) => {
    subscribe(null, signals);
    await first(({ type, signals: none }) => type === "signals" && none?.length === 0);
  };
  const append = (batch: number, first_: number, ...values: number[]) =>
    send({
      type: "append",
      batch,
      producer: `${host}.e1.local`,
      first: first_,
      signals: values.map((n) => ({ signal: "Q_A", source: `agent/${host}`, facts: { n } })),
    });
  const answer = (batch: number) => first((frame) => frame.batch === batch);
  return { socket, frames, closed, send, first, numbers, got, subscribe, follow, append, answer };
}

const valuesIn = async (eco: string) =>
  (await allOf(eco)).filter(({ signal }) => signal === "Q_A").map(({ facts }) => facts.n);

const post = (eco: string, n: number, name = "Q_A") => logOf(eco).append({ signals: [aSignal(name, { n })] });

describe("a relay of links", () => {
  it("confirms what its links append when the log has it, each signal once", async () => {
    const eco = freshEcosystem();
    const [one, two] = [await open(eco, "h1"), await open(eco, "h2")];
    one.append(1, 1, 11);
    one.append(2, 2, 12, 13);
    two.append(1, 1, 21);
    expect(await one.answer(2)).toMatchObject({ type: "appended", last: 3 });
    expect(await two.answer(1)).toMatchObject({ type: "appended", last: 1 });
    one.append(3, 2, 12, 13);
    expect(await one.answer(3)).toMatchObject({ type: "appended", last: 3 });
    const values = await valuesIn(eco);
    expect(values.filter((n) => n !== 21)).toEqual([11, 12, 13]);
    expect(values).toHaveLength(4);
  });

  it("takes what several links send together to the log in few calls", async () => {
    const eco = freshEcosystem();
    const links = await Promise.all(Array.from({ length: 12 }, (_, n) => open(eco, `h${n}`)));
    const before = (await logOf(eco).usage()).requests;
    for (const link of links) link.append(1, 1, 1);
    await Promise.all(links.map((link) => link.answer(1)));
    // One of these is that which asks.
    expect((await logOf(eco).usage()).requests - before).toBeLessThan(8);
  });

  it("refuses the producers of other hosts, and sources to which a token is not bound", async () => {
    const eco = freshEcosystem();
    const link = await open(eco, "h1");
    link.send({ type: "append", batch: 1, producer: "h2.e.local", first: 1, signals: [{}] });
    expect((await link.answer(1)).problem?.type).toBe("/problems/foreign-producer");
  });

  it("sends each link what that link is subscribed to, and nothing else", async () => {
    const eco = freshEcosystem();
    const [one, two] = [await open(eco, "h1"), await open(eco, "h2")];
    await one.follow("Q_A");
    await two.follow("Q_B");
    for (const [n, name] of [
      [1, "Q_A"],
      [2, "Q_B"],
      [3, "Q_C"],
      [4, "Q_A"],
      [5, "Q_B"],
    ] as const)
      await post(eco, n, name);
    await Promise.all([one.got(4), two.got(5)]);
    expect([one.numbers(), two.numbers()]).toEqual([
      [1, 4],
      [2, 5],
    ]);
  });

  it("goes on behind the place that a link names", async () => {
    const eco = freshEcosystem();
    for (const n of [1, 2, 3]) await post(eco, n);
    const link = await open(eco, "h1");
    link.subscribe(1, ["Q_A"]);
    await link.got(3);
    await post(eco, 4);
    await link.got(4);
    expect(link.numbers()).toEqual([2, 3, 4]);
  });

  it("loses nothing by its own hibernation, nor by that of the log", async () => {
    const eco = freshEcosystem();
    const link = await open(eco, "h1");
    await link.follow("Q_A");
    await post(eco, 1);
    await link.got(1);
    await evictDurableObject(relayOf(eco));
    await post(eco, 2);
    await link.got(2);
    await post(eco, 3, "Q_B");
    await evictDurableObject(logOf(eco));
    await post(eco, 4);
    await link.got(4);
    expect(link.numbers()).toEqual([1, 2, 4]);
  });

  it("keeps its links and loses nothing when the log is killed", async () => {
    const eco = freshEcosystem();
    const link = await open(eco, "h1");
    await link.follow("Q_A");
    link.append(1, 1, 1);
    await link.got(1);
    await crash(logOf(eco));
    link.append(2, 2, 2);
    await link.first(({ batch }) => batch === 2);
    if (link.frames.find(({ batch }) => batch === 2)?.type === "refused") link.append(3, 2, 2);
    await link.got(2);
    expect(link.numbers()).toEqual([1, 2]);
    expect(await valuesIn(eco)).toEqual([1, 2]);
  });

  it("is followed by its hosts to the next life when it is killed, from their own places", async () => {
    const eco = freshEcosystem();
    const link = await open(eco, "h1", { installation: "i1", instance: "p1" });
    await link.follow("Q_A");
    await post(eco, 1);
    await link.got(1);
    const seq = (await allOf(eco)).at(-1)?.seq ?? 0;
    await crash(relayOf(eco));
    await post(eco, 2);
    const again = await open(eco, "h1", { installation: "i1", instance: "p1" });
    again.subscribe(seq, ["Q_A"]);
    await again.got(2);
    await post(eco, 3);
    await again.got(3);
    expect(again.numbers()).toEqual([2, 3]);
  });

  it("closes its links when another log takes the place of the one that they follow, also after a hibernation", async () => {
    const eco = freshEcosystem();
    const link = await open(eco, "h1");
    await link.follow("Q_A");
    await evictDurableObject(relayOf(eco));
    await relayOf(eco).deliver({ from: 0, through: 900, lines: [], epoch: "another" });
    expect((await link.closed).code).toBe(1012);
    const again = await open(eco, "h1");
    await again.follow("Q_A");
    await post(eco, 1);
    await again.got(1);
  });

  it("handles the frames of a link in their order: what follows a subscription waits for it", async () => {
    const eco = freshEcosystem();
    const link = await open(eco, "h1");
    link.subscribe(null, ["Q_A"]);
    link.append(1, 1, 1);
    await link.got(1);
    link.subscribe(null, ["Q_B"], 2);
    link.append(2, 2, 2);
    await link.answer(2);
    link.subscribe(null, ["Q_A"], 3);
    link.append(3, 3, 3);
    await link.got(3);
    expect(link.numbers()).toEqual([1, 3]);
  });

  it("answers questions to hosts, and says how far their subscriptions have come", async () => {
    const eco = freshEcosystem();
    const link = await open(eco, "h1");
    await link.follow("Q_RARE");
    await post(eco, 1, "Q_OTHER");
    const { answers, report, headSeq } = await logOf(eco).gather(["health"], 10_000);
    expect(answers.get("h1")).toBe('{"health":{"of":"h1"}}');
    expect(report.links.map(({ host }) => host)).toEqual(["h1"]);
    const asked = await link.first(({ type }) => type === "gather");
    expect(asked.complete).toEqual({ number: 1, seq: headSeq });
    expect((await logOf(eco).status()).hosts).toEqual(["h1"]);
  });
});

describe("who may link at a relay", () => {
  it("is decided by the log: another token is refused, and another installation", async () => {
    const eco = freshEcosystem();
    await open(eco, "h1", { installation: "i1", instance: "p1" });
    expect((await upgrade(eco, "h1", { token: "t2" })).status).toBe(409);
    const other = await upgrade(eco, "h1", { installation: "i2", instance: "p2" });
    expect(await other.json()).toMatchObject({ type: "/problems/host-in-use" });
    // At another relay, too.
    expect((await upgrade(eco, "h1", { installation: "i2", instance: "p2" }, "2")).status).toBe(409);
  });

  it("changes by a take-over, and by the return of the same installation", async () => {
    const eco = freshEcosystem();
    const first = await open(eco, "h1", { installation: "i1", instance: "p1" });
    const second = await open(eco, "h1", { installation: "i1", instance: "p2" });
    expect((await first.closed).code).toBe(4001);
    await open(eco, "h1", { installation: "i2", instance: "p3", take_over: "1" });
    expect((await second.closed).code).toBe(4002);
  });

  it("ends with the token, for links that are open and for those that open at this moment", async () => {
    const eco = freshEcosystem();
    const link = await open(eco, "h1");
    const opening = upgrade(eco, "h2");
    await logOf(eco).closeToken("t1");
    expect((await link.closed).code).toBe(1008);
    const late = await opening;
    if (late.webSocket !== null) {
      const ended = new Promise<CloseEvent>((resolve) => late.webSocket?.addEventListener("close", resolve));
      late.webSocket.accept();
      expect((await ended).code).toBe(1008);
    }
    expect((await upgrade(eco, "h3")).status).toBe(401);
  });

  it("stays the same for one link of the log and one of a relay", async () => {
    const eco = freshEcosystem();
    const query = new URLSearchParams({ host: "h1", right: "any", token: "t1", installation: "i1", instance: "p1" });
    const atLog = await logOf(eco).fetch(`https://log/${eco}/link?${query}`, { headers: { Upgrade: "websocket" } });
    const closed = new Promise<CloseEvent>((resolve) => atLog.webSocket?.addEventListener("close", resolve));
    atLog.webSocket?.accept();
    expect((await upgrade(eco, "h1", { installation: "i2", instance: "p2" })).status).toBe(409);
    await open(eco, "h1", { installation: "i1", instance: "p3" });
    expect((await closed).code).toBe(4001);
    const back = await logOf(eco).fetch(`https://log/${eco}/link?${query}`, { headers: { Upgrade: "websocket" } });
    expect(back.headers.get(RELAY_HEADER)).toBe("1");
  });
});

describe("an ecosystem with many links", () => {
  it("sends new links to relays from fifty on, and counts them with the others", async () => {
    const eco = freshEcosystem();
    const dial = async (n: number) => {
      const { webSocket } = await call(`/v1/${eco}/link?host=h${n}`, { headers: { Upgrade: "websocket" } });
      webSocket?.accept();
    };
    for (let n = 0; n < 50; n++) await dial(n);
    expect(await logOf(eco).relays()).toEqual([]);
    await Promise.all(Array.from({ length: LINKS_OF_RELAY + 1 }, (_, n) => dial(50 + n)));
    expect(await logOf(eco).relays()).toEqual(["1", "2"]);
    const { links } = (await logOf(eco).gather([], 10)).report;
    expect(new Set(links.map(({ host }) => host)).size).toBe(50 + LINKS_OF_RELAY + 1);
    const response = await call(`/v1/${eco}/usage`);
    const { objects } = (await response.json()) as { objects: Record<string, { requests: number }> };
    expect(objects.link_relays?.requests).toBeGreaterThan(LINKS_OF_RELAY);
  });
});
