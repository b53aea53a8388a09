import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Report } from "../../../local-agent/base/service.ts";
import { BusService } from "../../../local-agent/bus/bus-service.ts";
import { KnownIds } from "../../../local-agent/bus/known-ids.ts";
import { DeadLetterFile } from "../../../local-agent/store/dead-letter-file.ts";
import { DeadLetterOutbox } from "../../../local-agent/store/dead-letter-outbox.ts";
import { Inbox } from "../../../local-agent/store/inbox.ts";
import { Spool } from "../../../local-agent/store/spool.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";
import { connectPublisher, connectSubscriber, freeEndpoints, PROBE, startForeignProxy } from "./bus-parts.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Spooled {
  readonly id?: string;
  readonly signal: string;
  readonly source: string;
  readonly timestamp: string;
  readonly facts: Record<string, unknown>;
}

interface Told {
  readonly id: string;
  readonly kind: string;
  readonly signal: unknown;
  readonly error: string;
  readonly host: string;
}

async function startBus(
  endpoints: { xsub: string; xpub: string; takeOverMs?: number },
  directory = temporaryDirectory(),
) {
  const db = StateDatabase.open(directory);
  const spool = new Spool(db, { hostId: "a", maxBytes: 1e9, now: Date.now, log: silent });
  const inbox = new Inbox(db, ["bus"]);
  const deadLetters = new DeadLetterFile({
    path: join(directory, "dead-letter/bus.jsonl"),
    maxBytes: 1e6,
    log: silent,
  });
  const outbox = new DeadLetterOutbox(db, { hostId: "a", log: silent });
  const bus = new BusService({
    ...endpoints,
    spool,
    inbox,
    knownIds: new KnownIds(db),
    deadLetters,
    unhandled: { outbox, hostId: "a" },
    now: Date.now,
    log: silent,
  });
  let open = true;
  /** Dead letters for the edge, once it has stopped. */
  const told: Told[] = [];
  const stop = async () => {
    if (!open) return;
    open = false;
    await bus.stop();
    await deadLetters.flush();
    told.push(...(outbox.next()?.deadLetters ?? []).map((text) => JSON.parse(text) as Told));
    db.close();
  };
  closing.push(stop);
  await bus.start();
  const spooled = (): Spooled[] => {
    const found: Spooled[] = [];
    for (let from = 1; ; ) {
      const batch = spool.read("bus", from, 1_000, 1e9);
      if (batch === null) return found;
      found.push(...batch.texts.map((text) => JSON.parse(text)));
      from = batch.last + 1;
    }
  };
  const whenSpooled = (count: number) =>
    new Promise<void>((resolve) => {
      const look = () => spool.lastNumber("bus") >= count && resolve();
      spool.onPut(look);
      look();
    });
  const deliver = (seq: number, id: string, signal = "Q_FROM_EDGE", facts: object = {}) =>
    inbox.receive(seq, [
      { seq, id, signal, text: JSON.stringify({ seq, id, signal, source: "edge", ecosystem: "default", facts }) },
    ]);
  return { bus, spool, inbox, deadLetters, directory, spooled, whenSpooled, deliver, stop, told };
}

const reported = (bus: BusService, wanted: (report: Report) => boolean) =>
  new Promise<void>((resolve) => {
    const look = () => wanted(bus.report()) && resolve();
    bus.onChange(look);
    look();
  });

async function publisherTo(xsub: string) {
  const publisher = await connectPublisher(xsub);
  closing.push(() => publisher.close());
  return publisher;
}

function subscriberTo(xpub: string) {
  const subscriber = connectSubscriber(xpub);
  closing.push(() => subscriber.close());
  return subscriber;
}

const observation = (more: object = {}) => ({
  signal: "OBSERVATION",
  timestamp: "2026-01-31T12:00:00.123456",
  source: "daemon",
  ecosystem: "old-name",
  facts: { zooid: "d", cpu_percent: 95 },
  ...more,
});

for (const mode of ["own proxy", "existing proxy"]) {
  describe(`bus with its ${mode}`, () => {
    async function open(directory?: string) {
      const endpoints = await freeEndpoints();
      if (mode === "existing proxy") closing.push(await startForeignProxy(endpoints));
      const bus = await startBus(endpoints, directory);
      return { ...endpoints, ...bus };
    }

    it("takes in both frame forms and passes them on to the host's subscribers as they are", async () => {
      const { xsub, xpub, bus, spooled, whenSpooled } = await open();
      expect(bus.report().detail).toContain(mode);
      await reported(bus, ({ state }) => state === "live");
      const subscriber = subscriberTo(xpub);
      const publisher = await publisherTo(xsub);
      const probes = await subscriber.hears(publisher);
      const single = [JSON.stringify(observation())];
      const double = ["Q_TOPIC_USED", JSON.stringify({ facts: { n: 2 }, timestamp: 1_769_860_800 })];
      const both = [
        "topic",
        JSON.stringify({
          signal: "Q_NAME_WINS",
          facts: {},
          source: "s",
          extra: "dropped",
          seq: 7,
          id: "own-id",
          cause: "c-1",
        }),
      ];
      for (const frames of [single, double, both]) await publisher.send(frames);
      await subscriber.when((frames) => frames.some(([topic]) => topic === "topic"));
      expect(subscriber.frames).toEqual([single, double, both]);
      await whenSpooled(probes + 3);
      expect(spooled().slice(probes)).toEqual([
        {
          signal: "OBSERVATION",
          source: "daemon",
          timestamp: "2026-01-31T12:00:00.123Z",
          facts: { zooid: "d", cpu_percent: 95 },
        },
        { signal: "Q_TOPIC_USED", source: "bus", timestamp: "2026-01-31T12:00:00.000Z", facts: { n: 2 } },
        { id: "own-id", signal: "Q_NAME_WINS", source: "s", timestamp: expect.any(String), cause: "c-1", facts: {} },
      ]);
    });

    it("keeps the order of a burst and loses no message", async () => {
      const { xsub, spooled, whenSpooled } = await open();
      const publisher = await publisherTo(xsub);
      const count = 5_000;
      for (let n = 0; n < count; n++) await publisher.send([JSON.stringify({ signal: "Q_BURST", facts: { n } })]);
      await whenSpooled(count);
      expect(spooled().map(({ facts }) => facts.n)).toEqual(Array.from({ length: count }, (_, n) => n));
    });

    it("publishes delivered signals as [name, signal], once, and takes none of them in again", async () => {
      const { xsub, xpub, deliver, whenSpooled, spooled, spool, bus } = await open();
      const subscriber = subscriberTo(xpub);
      const publisher = await publisherTo(xsub);
      const probes = await subscriber.hears(publisher);
      await deliver(1, "edge-1", "Q_FROM_EDGE", { a: 1 });
      await deliver(2, `${spool.producer("bus")}.5`);
      await deliver(3, `${spool.producer("local")}.5`);
      await deliver(4, "edge-4");
      await subscriber.when((frames) => frames.some(([, body]) => body?.includes("edge-4")));
      expect(subscriber.frames.map(([topic, body]) => [topic, JSON.parse(body ?? "").id])).toEqual([
        ["Q_FROM_EDGE", "edge-1"],
        ["Q_FROM_EDGE", `${spool.producer("local")}.5`],
        ["Q_FROM_EDGE", "edge-4"],
      ]);
      expect(JSON.parse(subscriber.frames[0]?.[1] ?? "")).toEqual({
        seq: 1,
        id: "edge-1",
        signal: "Q_FROM_EDGE",
        source: "edge",
        ecosystem: "default",
        facts: { a: 1 },
        schema_version: 1,
        incident_id: "edge-1",
      });
      await publisher.send([JSON.stringify({ signal: "Q_AFTER", facts: {} })]);
      await whenSpooled(probes + 1);
      expect(spooled().map(({ signal }) => signal)).toEqual([...Array(probes).fill(PROBE), "Q_AFTER"]);
      expect(bus.counts).toMatchObject({ published: 3, dead: 0, echoes: mode === "own proxy" ? 0 : 3 });
    });

    it("distinguishes an echo from a new signal that reuses an id", async () => {
      const { xsub, xpub, deliver, whenSpooled, spooled } = await open();
      const subscriber = subscriberTo(xpub);
      const publisher = await publisherTo(xsub);
      const probes = await subscriber.hears(publisher);
      await deliver(1, "edge-1", "Q_ASK");
      await subscriber.when((frames) => frames.length === 1);
      const send = (signal: string, id: string) => publisher.send([JSON.stringify({ signal, id, facts: {} })]);
      await send("Q_ASK", "edge-1");
      await send("Q_ANSWER", "edge-1");
      await send("Q_STARTED", "task-7");
      await send("Q_DONE", "task-7");
      await send("Q_STARTED", "task-7");
      await whenSpooled(probes + 4);
      const taken = spooled().slice(probes);
      expect(taken.map(({ signal, id }) => [signal, id])).toEqual([
        ["Q_ANSWER", undefined],
        ["Q_STARTED", "task-7"],
        ["Q_DONE", undefined],
        ["Q_STARTED", "task-7"],
      ]);
    });

    it("does not send a signal back to the bus it came from, though it has an id of its own, even after a restart", async () => {
      const directory = temporaryDirectory();
      const first = await open(directory);
      const publisher = await publisherTo(first.xsub);
      await publisher.send([JSON.stringify({ signal: "Q_MINE", id: "mine-1", facts: {} })]);
      await first.whenSpooled(1);
      await first.stop();
      const second = await open(directory);
      const subscriber = subscriberTo(second.xpub);
      await subscriber.hears(await publisherTo(second.xsub));
      await second.deliver(1, "mine-1", "Q_MINE");
      await second.deliver(2, "mine-1", "Q_OTHER");
      await second.deliver(3, "last");
      await subscriber.when((frames) => frames.length >= 2);
      expect(subscriber.frames.map(([topic]) => topic)).toEqual(["Q_OTHER", "Q_FROM_EDGE"]);
    });

    it("tells the edge of messages that are no signals: a few whole, equal ones once, and how many more there were", async () => {
      const { xsub, whenSpooled, stop, told } = await open();
      const publisher = await publisherTo(xsub);
      for (let n = 0; n < 3; n++) await publisher.send(["hello"]);
      for (let n = 0; n < 300; n++) await publisher.send([`rubbish ${n}`]);
      await publisher.send([JSON.stringify(observation())]);
      await whenSpooled(1);
      await stop();
      expect(told).toHaveLength(21);
      expect(told[0]).toMatchObject({
        id: expect.stringMatching(/^a\.bus\.[0-9a-f]{24}$/),
        kind: "signal",
        signal: "hello",
        error: expect.stringContaining("not JSON"),
        host: "a",
      });
      expect(told[20]).toMatchObject({
        id: expect.stringMatching(/^a\.bus\.more\.\d+$/),
        signal: "rubbish 299",
        error: expect.stringContaining("281 more messages of the bus of this host are no signals"),
      });
    });

    it("dead-letters messages that are no signals, with the reason, and continues", async () => {
      const { xsub, whenSpooled, spooled, stop, directory, bus } = await open();
      const publisher = await publisherTo(xsub);
      const rubbish: (string | Buffer)[][] = [
        ["hello"],
        ["[1]"],
        ["a", "b", "c"],
        [Buffer.from([0xff, 0xfe])],
        [JSON.stringify({ facts: {} })],
        [JSON.stringify({ signal: "Q_FLAT", count: 3 })],
        [JSON.stringify(observation({ timestamp: "yesterday" }))],
        [JSON.stringify(observation({ facts: { cpu_percent: 1 } }))],
        [JSON.stringify(observation({ facts: { zooid: "z", blob: "x".repeat(70_000) } }))],
        ["x".repeat(2_000_000)],
      ];
      for (const frames of rubbish) await publisher.send(frames);
      await publisher.send([JSON.stringify(observation())]);
      await whenSpooled(1);
      expect(spooled()).toHaveLength(1);
      expect(bus.counts.dead).toBe(rubbish.length);
      await stop();
      const letters = readFileSync(join(directory, "dead-letter/bus.jsonl"), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      const words = [
        "not JSON",
        "JSON object",
        "3 frames",
        "UTF-8",
        "/signal",
        "/facts",
        "/timestamp",
        "zooid",
        "/facts",
        "2000000 bytes",
      ];
      expect(letters.map(({ reason }) => reason)).toEqual(words.map((word) => expect.stringContaining(word)));
      expect(Math.max(...letters.map((letter) => JSON.stringify(letter).length))).toBeLessThan(10_000);
    });
  });
}

describe("bus", () => {
  it("refuses half a bus and names both settings", async () => {
    const { xsub, xpub } = await freeEndpoints();
    const server = createServer().listen(Number(xpub.split(":")[2]), "127.0.0.1");
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    await expect(startBus({ xsub, xpub })).rejects.toThrow(
      `KLR_CHEM_XPUB (${xpub}), but nothing at KLR_CHEM_XSUB (${xsub})`,
    );
  });

  it("says which settings to change when an address cannot be bound", async () => {
    await expect(startBus({ xsub: "tcp://192.0.2.1:5556", xpub: "tcp://192.0.2.1:5557" })).rejects.toThrow(
      /KLR_CHEM_XSUB .* KLR_CHEM_XPUB/,
    );
  });

  it("is its own proxy again when it is started right after a stop", async () => {
    const endpoints = await freeEndpoints();
    const { bus } = await startBus(endpoints);
    for (let round = 0; round < 30; round++) {
      await bus.stop();
      await bus.start();
      expect(bus.report()).toMatchObject({ state: "live", detail: expect.stringMatching(/^own proxy/) });
    }
  });

  it("runs over local sockets, too", async () => {
    const directory = temporaryDirectory();
    const { whenSpooled } = await startBus({ xsub: `ipc://${directory}/in`, xpub: `ipc://${directory}/out` });
    const publisher = await publisherTo(`ipc://${directory}/in`);
    await publisher.send([JSON.stringify(observation())]);
    await whenSpooled(1);
  });

  it("replaces an existing proxy that does not come back, and loses no signal of the edge", async () => {
    const endpoints = await freeEndpoints();
    const stopProxy = await startForeignProxy(endpoints);
    const { deliver, bus, whenSpooled, spooled } = await startBus({ ...endpoints, takeOverMs: 300 });
    const subscriber = subscriberTo(endpoints.xpub);
    await deliver(1, "edge-1");
    await expect.poll(() => bus.counts.published).toBe(1);
    const gone = reported(bus, ({ state }) => state === "failing");
    const replaced = reported(bus, ({ detail }) => detail.startsWith("own proxy"));
    stopProxy();
    await gone;
    await deliver(2, "edge-2");
    await replaced;
    await subscriber.when((frames) => frames.some(([, body]) => body?.includes("edge-2")));
    const publisher = await publisherTo(endpoints.xsub);
    await publisher.send([JSON.stringify(observation())]);
    await whenSpooled(1);
    expect(spooled()).toHaveLength(1);
    expect(bus.counts.published).toBe(2);
  });

  it("waits for an existing proxy that went away before it publishes again", async () => {
    const endpoints = await freeEndpoints();
    const stopProxy = await startForeignProxy(endpoints);
    const { deliver, bus } = await startBus(endpoints);
    const before = subscriberTo(endpoints.xpub);
    await deliver(1, "edge-1");
    await before.when((frames) => frames.length === 1);
    const gone = reported(bus, ({ state }) => state === "failing");
    stopProxy();
    await gone;
    await deliver(2, "edge-2");
    expect(bus.counts.published).toBe(1);
    closing.push(await startForeignProxy(endpoints));
    await before.when((frames) => frames.length === 2);
    expect(before.frames[1]?.[1]).toContain("edge-2");
  });
});
