import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PATIENCE_MS } from "../../harness/until.ts";
import { temporaryDirectory } from "../../unit/store/temporary-state.ts";
import { changed, range, signal, startEdge, startLink } from "./link-under-test.ts";

describe("link, sending", () => {
  it("sends the spool in order, and deletes confirmed signals", async () => {
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

  it("gathers signals that follow others where the edge asks for it, and sends the first at once", async () => {
    const edge = await startEdge();
    const appends: number[] = [];
    edge.interfere = ({ signals }) => void appends.push(signals.length);
    const { spool, link } = await startLink(edge);
    await changed(link, () => link.state.state === "connected");
    edge.sendToAll('{"type":"pace","observations_ms":10000,"others_ms":20}');
    const observation = () => spool.put("bus", [signal(0, "OBSERVATION")]);
    await observation();
    // The answer comes behind the pace.
    await spool.drained();
    for (let n = 0; n < 50; n++) await observation();
    await spool.put("bus", [signal(0)]);
    await spool.drained();
    expect(appends).toEqual([1, 51]);
    await observation();
    await link.stop();
    expect(edge.log).toHaveLength(53);
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

  it("has eight batches of a lane in flight at most", async () => {
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

  it("splits signals that are too large for one frame", async () => {
    const edge = await startEdge();
    const { spool } = await startLink(edge);
    const large = range(1, 100).map((value) => signal(`${value}-${"ü".repeat(15_000)}`));
    await spool.put("bus", large);
    await spool.drained();
    expect(edge.wrongFrames).toEqual([]);
    expect(edge.log).toHaveLength(100);
  });

  it("goes back to a refused batch after the wait that the edge asked for, and keeps the order", async () => {
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

  it("halves a frame that is too large for the edge, and dead-letters the one signal that it never takes", async () => {
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

  it("neither loses nor doubles a signal when connections break at random, before or after the answer", async () => {
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
    for (let put = 0; put < 150; put++) {
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
    expect(edge.values().toSorted((a, b) => Number(a) - Number(b))).toEqual(range(0, 6_000));
    for (const lane of ["bus", "local"] as const) {
      const arrived = edge.values(spool.producer(lane)) as number[];
      expect(arrived).toEqual(arrived.toSorted((a, b) => a - b));
    }
    expect(edge.wrongFrames).toEqual([]);
  });

  it("keeps all signals while the edge is away, and sends them after a restart", async () => {
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

  it("takes a new producer name when its file is older than the log, so that no signal is dropped as a duplicate", async () => {
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

  it("sends the rest of the spool when it is stopped", async () => {
    const edge = await startEdge();
    const { spool, link, stop } = await startLink(edge, { drainMs: PATIENCE_MS });
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
