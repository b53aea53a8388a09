import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { DeadLetterFile } from "../../../local-agent/dead-letter-file.ts";
import { Inbox } from "../../../local-agent/inbox.ts";
import { LetterOutbox } from "../../../local-agent/letters/letter-outbox.ts";
import { Link, type LinkOptions } from "../../../local-agent/link.ts";
import type { TimedSignal } from "../../../local-agent/spool/signal-text.ts";
import { Spool } from "../../../local-agent/spool.ts";
import { StateDatabase } from "../../../local-agent/state-database.ts";
import { silent, temporaryDirectory } from "../../unit/agent/temporary-state.ts";
import { EdgeStandIn } from "./edge-stand-in.ts";

const signal = (value: unknown, name = "Q_TEST_DONE"): TimedSignal => ({
  id: undefined,
  signal: name,
  source: "test",
  timestampMs: 1_700_000_000_000,
  factsJson: JSON.stringify({ value }),
  cause: undefined,
  trace: undefined,
  depth: undefined,
});
const range = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function startEdge(): Promise<EdgeStandIn> {
  const edge = await EdgeStandIn.listen();
  closing.push(() => edge.close());
  return edge;
}

async function startLink(edge: { url: string }, options: Partial<LinkOptions> & { directory?: string } = {}) {
  const directory = options.directory ?? temporaryDirectory();
  const db = StateDatabase.open(directory);
  const spool = new Spool(db, { hostId: "a", maxBytes: 1e9, now: Date.now, log: silent });
  const inbox = new Inbox(db, ["test"]);
  const deadLetters = new DeadLetterFile({
    path: join(directory, "dead-letter/link.jsonl"),
    maxBytes: 1e6,
    log: silent,
  });
  const letters = new LetterOutbox(db, { hostId: "a", log: silent });
  const link = new Link({
    url: edge.url,
    token: () => "secret",
    ecosystem: "default",
    hostId: "a",
    spool,
    letters,
    inbox,
    subscribe: ["*", "!OBSERVATION"],
    deadLetters,
    log: silent,
    backOff: { initialMs: 1, maxMs: 20 },
    ...options,
  });
  const stop = async () => {
    await link.stop();
    await deadLetters.flush();
    db.close();
  };
  closing.push(stop);
  await link.start();
  return { link, spool, inbox, letters, db, directory, stop };
}

const changed = (link: Link, until: () => boolean) =>
  new Promise<void>((resolve) => {
    const look = () => until() && resolve();
    link.onChange(look);
    look();
  });

describe("link, sending", () => {
  it("sends what is in the spool, in order, and forgets it once the edge has it", async () => {
    const edge = await startEdge();
    const { spool } = await startLink(edge);
    await spool.put(
      "bus",
      range(1, 500).map((value) => signal(value)),
    );
    await spool.put("local", [signal("a")]);
    await spool.drained();
    expect(edge.values(spool.producer("bus"))).toEqual(range(1, 500));
    expect(edge.values(spool.producer("local"))).toEqual(["a"]);
    expect(edge.log[0]).toMatchObject({ source: "test", timestamp: "2023-11-14T22:13:20.000Z" });
    expect(edge.wrongFrames).toEqual([]);
  });

  it("authenticates with a bearer token, names its host and the protocol", async () => {
    const edge = await startEdge();
    await startLink(edge);
    await edge.when(() => edge.connections === 1);
    expect(edge.upgrades[0]?.url).toBe("/v1/default/link?host=a");
    expect(edge.upgrades[0]?.headers.authorization).toBe("Bearer secret");
    expect(edge.upgrades[0]?.headers["sec-websocket-protocol"]).toBe("ganglion.link.v1");
  });

  it("has no more than eight batches of a lane on their way", async () => {
    const edge = await startEdge();
    const { spool } = await startLink(edge);
    await edge.when(() => edge.connections === 1);
    let arrived = 0;
    const held: (() => void)[] = [];
    edge.interfere = (_, socket) => {
      arrived++;
      held.push(() => socket.terminate());
      return "ignore";
    };
    for (let put = 0; put < 12; put++)
      await spool.put(
        "bus",
        range(put * 1_000, 1_000).map((value) => signal(value)),
      );
    await edge.when(() => arrived === 8);
    // The other lane has a window of its own; when its batch is here, the ninth of the first would be, too.
    await spool.put("local", [signal("a")]);
    await edge.when(() => arrived >= 9);
    expect(arrived).toBe(9);
    edge.interfere = () => undefined;
    held[0]?.();
    await spool.drained();
    expect(edge.values(spool.producer("bus"))).toEqual(range(0, 12_000));
  });

  it("splits what is too large for one frame", async () => {
    const edge = await startEdge();
    const { spool } = await startLink(edge);
    const large = range(1, 100).map((value) => signal(`${value}-${"ü".repeat(15_000)}`));
    await spool.put("bus", large);
    await spool.drained();
    expect(edge.wrongFrames).toEqual([]);
    expect(edge.log).toHaveLength(100);
  });

  it("goes back to a refused batch after the time that the edge names, and keeps the order", async () => {
    const edge = await startEdge();
    let refusals = 0;
    const retries: number[] = [];
    edge.interfere = ({ first }) => {
      if (first === 1_001 && refusals < 3) {
        refusals++;
        retries.push(Date.now());
        return { refuse: { retry_after_ms: 30 } };
      }
      return undefined;
    };
    const { spool } = await startLink(edge);
    for (let put = 0; put < 5; put++)
      await spool.put(
        "bus",
        range(put * 1_000 + 1, 1_000).map((value) => signal(value)),
      );
    await spool.drained();
    expect(refusals).toBe(3);
    expect((retries[1] ?? 0) - (retries[0] ?? 0)).toBeGreaterThanOrEqual(29);
    expect(edge.values()).toEqual(range(1, 5_000));
  });

  it("halves a frame that the edge finds too large, and lays the one signal aside that it never takes", async () => {
    const edge = await startEdge();
    edge.interfere = ({ signals }) =>
      signals.some((kept) => (kept as { facts: { value: unknown } }).facts.value === 13)
        ? { refuse: { problem: { type: "/problems/too-large", title: "Too large", status: 413 } } }
        : undefined;
    const { spool, stop, directory } = await startLink(edge);
    await spool.put(
      "bus",
      range(1, 40).map((value) => signal(value)),
    );
    await spool.drained();
    expect(edge.values()).toEqual(range(1, 40).filter((value) => value !== 13));
    await stop();
    const letters = readFileSync(join(directory, "dead-letter/link.jsonl"), "utf8").trim().split("\n");
    expect(letters).toHaveLength(1);
    expect(JSON.parse(letters[0] ?? "")).toMatchObject({ number: 13, reason: "Too large (413)" });
  });

  it("loses and doubles nothing when connections break at random, before or after the answer", async () => {
    const edge = await startEdge();
    let seed = 7;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed / 2 ** 31;
    };
    let broken = 0;
    const maybeBreak = (socket: { terminate(): void }) => {
      if (random() > 0.3) return false;
      broken++;
      socket.terminate();
      return true;
    };
    edge.interfere = (_, socket) => (maybeBreak(socket) ? "ignore" : undefined);
    edge.beforeAnswer = (socket) => !maybeBreak(socket);
    const { spool } = await startLink(edge);
    let value = 0;
    const puts: Promise<unknown>[] = [];
    for (let put = 0; put < 300; put++) {
      const lane = put % 3 === 0 ? "local" : "bus";
      puts.push(
        spool.put(
          lane,
          range(value, 40).map((each) => signal(each)),
        ),
      );
      value += 40;
      if (put % 4 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(puts);
    await spool.drained();
    expect(broken).toBeGreaterThan(5);
    expect(edge.values().toSorted((a, b) => Number(a) - Number(b))).toEqual(range(0, 12_000));
    for (const lane of ["bus", "local"] as const) {
      const arrived = edge.values(spool.producer(lane)) as number[];
      expect(arrived).toEqual(arrived.toSorted((a, b) => a - b));
    }
    expect(edge.wrongFrames).toEqual([]);
  }, 30_000);

  it("keeps everything while the edge is away and sends it after a restart", async () => {
    const directory = temporaryDirectory();
    const offline = await startLink({ url: "http://127.0.0.1:1" }, { directory });
    await offline.spool.put("bus", [signal(1), signal(2)]);
    await changed(offline.link, () => offline.link.state.state === "waiting");
    expect(offline.link.state.detail).toContain("GANGLION_URL");
    await offline.stop();
    const edge = await startEdge();
    const online = await startLink(edge, { directory });
    await online.spool.drained();
    expect(edge.values()).toEqual([1, 2]);
  });

  it("takes a new name when its file turns out to be older than the log, so that nothing is mistaken for known", async () => {
    const edge = await startEdge();
    const directory = temporaryDirectory();
    const first = await startLink(edge, { directory });
    await first.spool.put("bus", [signal(1)]);
    await first.spool.drained();
    const backup = temporaryDirectory();
    mkdirSync(backup, { recursive: true });
    first.db.sql.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    copyFileSync(join(directory, "agent.db"), join(backup, "agent.db"));
    await first.spool.put(
      "bus",
      range(2, 50).map((value) => signal(value)),
    );
    await first.spool.drained();
    await first.stop();
    const second = await startLink(edge, { directory: backup });
    await second.spool.put("bus", [signal("after the restore")]);
    await second.spool.drained();
    expect(edge.values().at(-1)).toBe("after the restore");
    expect(second.spool.producer("bus")).not.toBe(first.spool.producer("bus"));
  });

  it("sends what is left when it is stopped", async () => {
    const edge = await startEdge();
    const { spool, link, stop } = await startLink(edge);
    await changed(link, () => link.state.state === "connected");
    for (let put = 0; put < 20; put++)
      void spool.put(
        "bus",
        range(put * 500, 500).map((value) => signal(value)),
      );
    await stop();
    expect(edge.values()).toEqual(range(0, 10_000));
  });
});

describe("link, receiving", () => {
  it("is told where the log ends at its first subscription, and goes on from its journal afterwards", async () => {
    const edge = await startEdge();
    edge.append("Q_OLD_NEWS", {});
    edge.append("Q_OLD_NEWS", {});
    const { inbox } = await startLink(edge);
    await edge.when(() => edge.seen.includes(2));
    expect(edge.subscriptions).toEqual([null]);
    edge.dropConnections();
    edge.append("Q_TEST_DONE", { value: 1 });
    await edge.when(() => edge.seen.includes(3));
    expect(edge.subscriptions).toEqual([null, 2]);
    edge.append("OBSERVATION", { zooid: "x" });
    edge.append("Q_TEST_DONE", { value: 2 });
    await edge.when(() => edge.seen.includes(5));
    expect(inbox.next("test", 10).map(({ seq }) => seq)).toEqual([3, 5]);
    expect(JSON.parse(inbox.next("test", 1)[0]?.text ?? "")).toEqual(edge.log[2]);
    edge.dropConnections();
    await edge.when(() => edge.subscriptions.length === 3);
    expect(edge.subscriptions.at(-1)).toBe(5);
  });

  it("begins anew at the end of a log that is not the one it knew", async () => {
    const known = await startEdge();
    const { inbox, stop, directory } = await startLink(known);
    await known.when(() => known.seen.includes(0));
    for (const value of [1, 2, 3]) known.append("Q_TEST_DONE", { value });
    await known.when(() => known.seen.includes(3));
    expect(inbox.cursor).toBe(3);
    await stop();

    const other = await startEdge();
    other.append("Q_OLD_NEWS", {});
    const later = await startLink(other, { directory });
    await other.when(() => other.subscriptions.includes(3));
    other.append("Q_TEST_DONE", { value: "new" });
    await other.when(() => other.seen.includes(2));
    expect(later.inbox.next("test", 10).map(({ seq }) => seq)).toEqual([2]);
  });

  it("drops what comes a second time", async () => {
    const edge = await startEdge();
    const { inbox } = await startLink(edge);
    await edge.when(() => edge.subscriptions.length === 1);
    const kept = edge.append("Q_TEST_DONE", { value: 1 });
    await edge.when(() => edge.seen.length === 1);
    edge.sendToAll(JSON.stringify({ type: "signals", last: 1, signals: [kept] }));
    await edge.when(() => edge.seen.length === 2);
    expect(inbox.next("test", 10)).toHaveLength(1);
  });

  it.each([
    ["no JSON", "{"],
    ["an unknown type", '{"type":"news"}'],
    ["a delivery without places", '{"type":"signals","last":1,"signals":[{"signal":"Q_A"}]}'],
  ])("comes back on a new connection after a frame that it cannot read: %s", async (_, frame) => {
    const edge = await startEdge();
    const { inbox } = await startLink(edge);
    await edge.when(() => edge.subscriptions.length === 1);
    edge.sendToAll(frame);
    await edge.when(() => edge.subscriptions.length === 2);
    edge.append("Q_TEST_DONE", {});
    await edge.when(() => edge.seen.length === 1);
    expect(inbox.next("test", 10)).toHaveLength(1);
  });

  it("answers a request for facts that it does not have", async () => {
    const edge = await startEdge();
    const { link } = await startLink(edge);
    await edge.when(() => edge.subscriptions.length === 1);
    edge.sendToAll('{"type":"gather","request":"r1","monitors":["health"]}');
    link.setStatus({ after: "the answer" });
    await edge.when(() => edge.statuses.length === 1);
    expect(edge.wrongFrames).toEqual([]);
  });
});

describe("link, connecting", () => {
  it.each([
    [401, "GANGLION_TOKEN"],
    [403, "signals:write"],
    [404, "GANGLION_URL"],
    [500, "500"],
  ])("says what to do when the edge answers %i, and tries again", async (status, hint) => {
    const edge = await startEdge();
    edge.refuseUpgrade = { status };
    const { link } = await startLink(edge);
    await changed(link, () => link.state.state === "waiting");
    expect(link.state.detail).toContain(hint);
    expect(link.state.detail).not.toContain("secret");
    edge.refuseUpgrade = undefined;
    await changed(link, () => link.state.state === "connected");
  });

  it("is connected when it knows from which place on it hears, and not before", async () => {
    const edge = await startEdge();
    const { link, inbox } = await startLink(edge);
    await changed(link, () => link.state.state === "connected");
    expect(inbox.cursor).toBe(0);
  });

  it("waits as long as Retry-After says", async () => {
    const edge = await startEdge();
    edge.refuseUpgrade = { status: 503, headers: { "retry-after": "1" } };
    const started = Date.now();
    const { link } = await startLink(edge);
    await edge.when(() => edge.upgrades.length === 1);
    edge.refuseUpgrade = undefined;
    await changed(link, () => link.state.state === "connected");
    expect(Date.now() - started).toBeGreaterThanOrEqual(990);
    expect(edge.upgrades).toHaveLength(2);
  });

  it("gives up a connection on which nothing is heard any more", async () => {
    const edge = await startEdge();
    edge.answersPings = false;
    const { link } = await startLink(edge, { heartbeatMs: 25 });
    await edge.when(() => edge.upgrades.length >= 2);
    edge.answersPings = true;
    await changed(link, () => link.state.state === "connected");
  });

  it("tells the edge its status on each connection, and only what is new in between", async () => {
    const edge = await startEdge();
    const { link } = await startLink(edge);
    link.setStatus({ sources: 1 });
    await edge.when(() => edge.statuses.length === 1);
    link.setStatus({ sources: 1 });
    link.setStatus({ sources: 2 });
    await edge.when(() => edge.statuses.length === 2);
    edge.dropConnections();
    await edge.when(() => edge.statuses.length === 3);
    expect(edge.statuses.map(({ sources }) => sources)).toEqual([1, 2, 2]);
  });

  it("stops while nothing answers, twice, or before it was started", async () => {
    const { link } = await startLink({ url: "http://127.0.0.1:1" });
    await link.stop();
    await link.stop();
    expect(link.state.state).toBe("stopped");
  });
});
