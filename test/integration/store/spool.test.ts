import { copyFileSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { openWhenFree } from "../../../local-agent/store/open-when-free.ts";
import type { TimedSignal } from "../../../local-agent/store/signal-text.ts";
import { LANES, type Lane, MAX_PUT, Spool } from "../../../local-agent/store/spool.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";
import fc from "../../fast-check.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";

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

function openSpool(directory: string, { hostId = "a", maxBytes = 1e9 } = {}) {
  const db = StateDatabase.open(directory);
  return { db, spool: new Spool(db, { hostId, maxBytes, now: Date.now, log: silent }) };
}

const values = (texts: readonly string[]) => texts.map((text) => JSON.parse(text).facts.value as unknown);

function readAll(spool: Spool, lane: Lane): { n: number; value: unknown }[] {
  const found: { n: number; value: unknown }[] = [];
  for (let from = 1; ; ) {
    const batch = spool.read(lane, from, 7, 1_000);
    if (batch === null) return found;
    values(batch.texts).forEach((value, index) => {
      found.push({ n: batch.first + index, value });
    });
    from = batch.last + 1;
  }
}

describe("a signal in the spool that the disk has changed", () => {
  it("is not sent and is deleted, and its neighbours are sent", async () => {
    const { db, spool } = openSpool(temporaryDirectory());
    await spool.put("local", [signal(1), signal(2), signal(3)]);
    db.sql.exec("UPDATE spool_local SET text = replace(text, '\"value\":2', '\"value\":7') WHERE n = 2");
    expect(readAll(spool, "local")).toEqual([
      { n: 1, value: 1 },
      { n: 3, value: 3 },
    ]);
    await db.settled();
    expect(spool.depth("local").signals).toBe(2);
    db.close();
  });

  it("is one with a checksum: rows of an earlier version, without one, are read", async () => {
    const directory = temporaryDirectory();
    const first = openSpool(directory);
    await first.spool.put("bus", [signal(1)]);
    first.db.sql.exec("ALTER TABLE spool_bus DROP COLUMN crc; ALTER TABLE spool_local DROP COLUMN crc");
    first.db.close();
    const { db, spool } = openSpool(directory);
    await spool.put("bus", [signal(2)]);
    expect(readAll(spool, "bus").map(({ value }) => value)).toEqual([1, 2]);
    db.close();
  });
});

describe("spool", () => {
  it("numbers the signals of each lane from 1, in the order of the puts", async () => {
    const { db, spool } = openSpool(temporaryDirectory());
    const outcomes = await Promise.all([
      spool.put("bus", [signal(1), signal(2)]),
      spool.put("local", [signal("a")]),
      spool.put("bus", [signal(3)]),
    ]);
    expect(outcomes).toEqual([
      { already: false, first: 1, last: 2 },
      { already: false, first: 1, last: 1 },
      { already: false, first: 3, last: 3 },
    ]);
    expect(values(spool.read("bus", 1, 10, 1e6)?.texts ?? [])).toEqual([1, 2, 3]);
    db.close();
  });

  it("commits the puts of one turn together", async () => {
    const { db, spool } = openSpool(temporaryDirectory());
    await spool.put("bus", [signal(0)]);
    let commits = 0;
    const exec = db.sql.exec.bind(db.sql);
    db.sql.exec = (text: string) => {
      if (text === "COMMIT") commits++;
      exec(text);
    };
    await Promise.all(Array.from({ length: 50 }, (_, value) => spool.put("bus", [signal(value)])));
    expect(commits).toBe(1);
    db.close();
  });

  it("keeps the neighbours of a put that the disk refuses", async () => {
    const { db, spool } = openSpool(temporaryDirectory());
    const refused = spool.put("bus", [signal(2)], {
      also: () => {
        throw new Error("no room");
      },
    });
    const [before, , after] = await Promise.allSettled([
      spool.put("bus", [signal(1)]),
      refused,
      spool.put("bus", [signal(3)]),
    ]);
    expect(before.status).toBe("fulfilled");
    expect(after.status).toBe("fulfilled");
    await expect(refused).rejects.toThrow("no room");
    expect(values(spool.read("bus", 1, 10, 1e6)?.texts ?? []).sort()).toEqual([1, 3]);
    expect(spool.depth("bus").signals).toBe(2);
    db.close();
  });

  it("refuses a put of more signals than one frame may hold", async () => {
    const { db, spool } = openSpool(temporaryDirectory());
    await expect(spool.put("bus", Array(MAX_PUT + 1).fill(signal(1)))).rejects.toThrow(RangeError);
    await expect(spool.put("bus", [])).rejects.toThrow(RangeError);
    db.close();
  });

  it("takes an item once, also when it is offered again after a crash", async () => {
    const directory = temporaryDirectory();
    const first = openSpool(directory);
    await first.spool.put("local", [signal(1)], { taken: "file-1" });
    first.db.close();
    const second = openSpool(directory);
    expect(await second.spool.put("local", [signal(1)], { taken: "file-1" })).toEqual({ already: true });
    expect(await second.spool.put("local", [signal(2)], { taken: "file-2" })).toMatchObject({ first: 2 });
    second.db.close();
  });

  it("limits batches by number and bytes, and still sends a signal above the limit", async () => {
    const { db, spool } = openSpool(temporaryDirectory());
    await spool.put("bus", [signal("x".repeat(5_000)), signal(1), signal(2), signal(3)]);
    expect(spool.read("bus", 1, 10, 1_000)).toMatchObject({ first: 1, last: 1 });
    expect(spool.read("bus", 2, 2, 1_000)).toMatchObject({ first: 2, last: 3 });
    db.close();
  });

  it("refuses a second agent on the same directory and names the first", () => {
    const directory = temporaryDirectory();
    const { db } = openSpool(directory);
    expect(() => StateDatabase.open(directory)).toThrow(`Another agent (process ${process.pid}) runs in ${directory}`);
    db.close();
    openSpool(directory).db.close();
  });

  it("waits longer for an agent that says it is stopping than for one that says nothing", async () => {
    const directory = temporaryDirectory();
    const { db } = openSpool(directory);
    const patience = { heldMs: 0, stoppingMs: 60_000 };
    await expect(openWhenFree(directory, patience)).rejects.toThrow(
      `Another agent (process ${process.pid}) runs in ${directory}: stop it`,
    );
    db.announceStop();
    await expect(openWhenFree(directory, { heldMs: 60_000, stoppingMs: 0 })).rejects.toThrow("and is stopping: wait");
    const opened = openWhenFree(directory, patience);
    db.close();
    (await opened).close();
  });

  it("has a new producer name after its file is lost, and keeps its name over a restart", () => {
    const directory = temporaryDirectory();
    const first = openSpool(directory);
    const name = first.spool.producer("bus");
    expect(name).toMatch(/^a\.[0-9a-f]{12}\.bus$/);
    first.db.close();
    const second = openSpool(directory);
    expect(second.spool.producer("bus")).toBe(name);
    second.db.close();
    const elsewhere = openSpool(temporaryDirectory());
    expect(elsewhere.spool.producer("bus")).not.toBe(name);
    elsewhere.db.close();
  });

  it("sends its signals under the old name after the host was renamed, and recognises them by both names", async () => {
    const directory = temporaryDirectory();
    const first = openSpool(directory);
    const oldName = first.spool.producer("bus");
    await first.spool.put("bus", [signal(1)]);
    first.db.close();
    const second = openSpool(directory, { hostId: "b" });
    expect(second.spool.producer("bus")).toBe(oldName);
    await second.spool.forget("bus", 1);
    second.db.close();
    const third = openSpool(directory, { hostId: "b" });
    expect(third.spool.producer("bus")).toMatch(/^b\./);
    expect(third.spool.owns(`${oldName}.1`, "bus")).toBe(true);
    expect(third.spool.owns(`${third.spool.producer("bus")}.7`, "bus")).toBe(true);
    expect(third.spool.owns(`${oldName}.1`, "local")).toBe(false);
    third.db.close();
  });

  it("sheds the oldest observations above its size, counts them, and drops nothing else", async () => {
    const { db, spool } = openSpool(temporaryDirectory(), { maxBytes: 60_000 });
    for (let round = 0; round < 20; round++) {
      const signals = Array.from({ length: 50 }, (_, i) =>
        signal(round * 50 + i, i % 5 === 0 ? "Q_TEST_DONE" : "OBSERVATION"),
      );
      await spool.put(round % 2 === 0 ? "bus" : "local", signals);
      await db.settled();
    }
    const left = LANES.flatMap((lane) => readAll(spool, lane).map(({ value }) => value as number));
    expect(left.filter((value) => value % 5 === 0)).toHaveLength(200);
    const observations = left.filter((value) => value % 5 !== 0);
    expect(observations.length).toBeGreaterThan(0);
    expect(Math.min(...observations)).toBeGreaterThan(1_000 - observations.length * 1.25 - 60);
    expect(spool.depth("bus").shed + spool.depth("local").shed).toBe(800 - observations.length);
    expect(spool.depth("bus").bytes + spool.depth("local").bytes).toBeLessThanOrEqual(60_000);
    db.close();
  });

  it("continues a lane with what the log does not hold, under a new name, when its file is older than the log", async () => {
    const { db, spool } = openSpool(temporaryDirectory());
    const [bus, local] = [spool.producer("bus"), spool.producer("local")];
    await spool.put("bus", [signal(1), signal(2), signal(3)]);
    await spool.renewEpoch("bus", 2);
    expect(spool.producer("bus")).not.toBe(bus);
    expect(spool.producer("local")).toBe(local);
    expect(spool.read("bus", 1, 10, 1e6)).toMatchObject({ first: 3, last: 3 });
    expect(spool.depth("bus").signals).toBe(1);
    expect(spool.owns(`${bus}.1`, "bus")).toBe(true);
    expect(spool.owns(`${spool.producer("bus")}.3`, "bus")).toBe(true);
    expect(spool.owns(`${spool.producer("bus")}.3`, "local")).toBe(false);
    db.close();
  });
});

/** A plain picture of the spool: what was kept and not forgotten, and the last number of each lane. */
interface Model {
  readonly lanes: Record<Lane, { last: number; kept: { n: number; value: number }[] }>;
  counter: number;
}

interface Real {
  readonly parent: string;
  directory: string;
  open: ReturnType<typeof openSpool>;
}

abstract class Step implements fc.AsyncCommand<Model, Real> {
  check = () => true;
  abstract run(model: Model, real: Real): Promise<void>;
  abstract toString(): string;
  expectSame(model: Model, { open: { spool } }: Real): void {
    for (const lane of LANES) {
      expect(readAll(spool, lane)).toEqual(model.lanes[lane].kept);
      expect(spool.depth(lane).signals).toBe(model.lanes[lane].kept.length);
    }
  }
}

class Put extends Step {
  readonly lane: Lane;
  readonly count: number;
  constructor(lane: Lane, count: number) {
    super();
    this.lane = lane;
    this.count = count;
  }
  async run(model: Model, real: Real): Promise<void> {
    const lane = model.lanes[this.lane];
    const signals = Array.from({ length: this.count }, () => ({ n: ++lane.last, value: ++model.counter }));
    lane.kept.push(...signals);
    await real.open.spool.put(
      this.lane,
      signals.map(({ value }) => signal(value)),
    );
    this.expectSame(model, real);
  }
  toString = () => `put(${this.lane}, ${this.count})`;
}

class Forget extends Step {
  readonly lane: Lane;
  readonly share: number;
  constructor(lane: Lane, share: number) {
    super();
    this.lane = lane;
    this.share = share;
  }
  async run(model: Model, real: Real): Promise<void> {
    const lane = model.lanes[this.lane];
    const last = Math.floor(lane.last * this.share);
    lane.kept = lane.kept.filter(({ n }) => n > last);
    await real.open.spool.forget(this.lane, last);
    this.expectSame(model, real);
  }
  toString = () => `forget(${this.lane}, ${this.share})`;
}

/** The files as a killed process would leave them: nothing is closed, the write-ahead log is not checkpointed. */
class Crash extends Step {
  async run(model: Model, real: Real): Promise<void> {
    const next = mkdtempSync(join(real.parent, "crash-"));
    for (const file of ["agent.db", "agent.db-wal"]) copyFileSync(join(real.directory, file), join(next, file));
    real.open.db.close();
    real.directory = next;
    real.open = openSpool(next);
    this.expectSame(model, real);
  }
  toString = () => "crash";
}

test("spool loses no signal, keeps the order and never gives a number twice, whatever happened before", async () => {
  const lane = fc.constantFrom(...LANES);
  const history = fc.commands(
    [
      fc.tuple(lane, fc.constantFrom(1, 2, 9)).map(([name, count]) => new Put(name, count)),
      fc.tuple(lane, fc.constantFrom(0, 0.5, 0.9, 1)).map(([name, share]) => new Forget(name, share)),
      fc.constant(new Crash()),
    ],
    { maxCommands: 40 },
  );
  const parent = temporaryDirectory();
  await fc.assert(
    fc.asyncProperty(history, async (commands) => {
      const directory = mkdtempSync(join(parent, "run-"));
      const real: Real = { parent, directory, open: openSpool(directory) };
      const model: Model = { lanes: { bus: { last: 0, kept: [] }, local: { last: 0, kept: [] } }, counter: 0 };
      try {
        await fc.asyncModelRun(() => ({ model, real }), commands);
      } finally {
        real.open.db.close();
      }
    }),
    { numRuns: 30 },
  );
}, 60_000);
