import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BusIntake } from "../../../local-agent/bus/bus-source.ts";
import { KnownIds } from "../../../local-agent/bus/known-ids.ts";
import { DeadLetterFile } from "../../../local-agent/store/dead-letter-file.ts";
import { DeadLetterOutbox } from "../../../local-agent/store/dead-letter-outbox.ts";
import type { TimedSignal } from "../../../local-agent/store/signal-text.ts";
import { Spool } from "../../../local-agent/store/spool.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";

const signal = (value: unknown): TimedSignal => ({
  id: undefined,
  cause: undefined,
  trace: undefined,
  depth: undefined,
  signal: "Q_TEST",
  source: "test",
  timestampMs: 1_700_000_000_000,
  factsJson: JSON.stringify({ value, filling: "x".repeat(500) }),
});

function open(directory: string) {
  const db = StateDatabase.open(directory);
  return { db, spool: new Spool(db, { hostId: "a", maxBytes: 1e9, now: Date.now, log: silent }) };
}

/** SQLite answers as on a full disk, and the real one at that: `SQLITE_FULL`. */
function fillDisk({ sql }: StateDatabase): { free(): void } {
  const { page_count } = sql.prepare("PRAGMA page_count").get() as { page_count: number };
  sql.exec(`PRAGMA max_page_count = ${page_count}`);
  return { free: () => sql.exec("PRAGMA max_page_count = 1000000") };
}

const unhandledOf = (db: StateDatabase) => ({
  outbox: new DeadLetterOutbox(db, { hostId: "a", log: silent }),
  hostId: "a",
});

describe("a state file that is corrupted", () => {
  it.each([
    ["no database at all", (path: string) => writeFileSync(path, "this is not a database, and never was one")],
    ["cut in the middle", (path: string) => truncateSync(path, 4096 * 3)],
    [
      "overwritten in the middle",
      (path: string) => {
        const content = readFileSync(path);
        content.fill(0xff, 4096 * 2, 4096 * 6);
        writeFileSync(path, content);
      },
    ],
  ])("(%s) is renamed, and a new one begins under a new producer name", async (_, corrupt) => {
    const directory = temporaryDirectory();
    const first = open(directory);
    for (let n = 0; n < 50; n++) await first.spool.put("local", [signal(n)]);
    const name = first.spool.producer("local");
    first.db.close();
    corrupt(join(directory, "agent.db"));
    const second = open(directory);
    expect(second.db.movedAside).toMatch(/agent\.db\.corrupted-/);
    expect(existsSync(second.db.movedAside ?? "")).toBe(true);
    expect(second.spool.producer("local")).not.toBe(name);
    expect(await second.spool.put("local", [signal("new")])).toMatchObject({ first: 1 });
    second.db.close();
    const third = open(directory);
    expect(third.db.movedAside).toBeUndefined();
    expect(third.spool.depth("local").signals).toBe(1);
    third.db.close();
    expect(readdirSync(directory).filter((entry) => entry.includes("corrupted")).length).toBeGreaterThan(0);
  });

  it("is reported when the corruption shows while the agent runs", async () => {
    const directory = temporaryDirectory();
    const { db, spool } = open(directory);
    for (let n = 0; n < 50; n++) await spool.put("local", [signal(n)]);
    db.sql.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    const content = readFileSync(join(directory, "agent.db"));
    content.fill(0xff, 4096);
    writeFileSync(join(directory, "agent.db"), content);
    // What SQLite holds in memory is still whole.
    db.sql.exec("PRAGMA shrink_memory");
    let told: Error | undefined;
    db.onCorrupted((error) => {
      told = error;
    });
    await expect(spool.forget("local", 40)).rejects.toThrow();
    expect(told?.message).toMatch(/malformed/);
    db.close();
    expect(open(directory).db.movedAside).toBeDefined();
  });
});

describe("a full disk", () => {
  it("refuses puts, keeps the stored signals, and takes puts again when there is space", async () => {
    const { db, spool } = open(temporaryDirectory());
    await spool.put("local", [signal(0)]);
    const disk = fillDisk(db);
    let refused = 0;
    for (let n = 1; n <= 100; n++) await spool.put("local", [signal(n)]).catch(() => refused++);
    expect(refused).toBeGreaterThan(80);
    const kept = 101 - refused;
    expect(spool.depth("local").signals).toBe(kept);
    disk.free();
    const outcome = await spool.put("local", [signal("after")]);
    // No number was given to what was refused.
    expect(outcome).toMatchObject({ first: kept + 1 });
    db.close();
  });

  it("keeps the order of the bus, also of signals that arrive while the disk recovers", async () => {
    const directory = temporaryDirectory();
    const { db, spool } = open(directory);
    const deadLetters = new DeadLetterFile({ path: join(directory, "bus.jsonl"), maxBytes: 1e6, log: silent });
    const intake = new BusIntake({
      spool,
      knownIds: new KnownIds(db),
      deadLetters,
      unhandled: unhandledOf(db),
      now: Date.now,
      log: silent,
    });
    const disk = fillDisk(db);
    let value = 0;
    // Large ones and small ones in turn: of two, a disk that is nearly full takes the small one alone.
    const takeOne = () => {
      const filling = "x".repeat(value % 2 === 0 ? 20_000 : 10);
      void intake.take([
        Buffer.from(JSON.stringify({ signal: "Q_EVENT", source: "s", facts: { value: ++value, filling } })),
      ]);
      return new Promise((resolve) => setTimeout(resolve, 1));
    };
    for (let n = 0; n < 50; n++) await takeOne();
    disk.free();
    while (intake.counts.taken < 50) await takeOne();
    for (let n = 0; n < 50; n++) await takeOne();
    await intake.flush();
    const values: number[] = [];
    for (let from = 1; ; ) {
      const batch = spool.read("bus", from, 1_000, 1e7);
      if (batch === null) break;
      values.push(...batch.texts.map((text) => (JSON.parse(text) as { facts: { value: number } }).facts.value));
      from = batch.last + 1;
    }
    expect(values).toEqual(Array.from({ length: value }, (_, place) => place + 1));
    db.close();
  });

  it("loses no signal of the bus while memory lasts, and then drops observations first", async () => {
    const directory = temporaryDirectory();
    const { db, spool } = open(directory);
    const deadLetters = new DeadLetterFile({ path: join(directory, "bus.jsonl"), maxBytes: 1e6, log: silent });
    const intake = new BusIntake({
      spool,
      knownIds: new KnownIds(db),
      deadLetters,
      unhandled: unhandledOf(db),
      now: Date.now,
      log: silent,
    });
    const disk = fillDisk(db);
    const take = (name: string, value: number) =>
      intake.take([
        Buffer.from(
          JSON.stringify({ signal: name, source: "s", facts: { zooid: "z", value, filling: "x".repeat(500) } }),
        ),
      ]);
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    let held = 0;
    for (let n = 0; n < 28_000; n++) {
      if (take(n % 2 === 0 ? "Q_EVENT" : "OBSERVATION", n) !== undefined) held++;
      if (n % 500 === 0) await turn();
    }
    // Nobody on the bus was made to wait for our disk.
    expect(held).toBe(0);
    const { lost } = intake.counts;
    expect(lost).toBeGreaterThan(5_000);
    disk.free();
    await intake.flush();
    expect(intake.counts.taken + lost).toBe(28_000);
    expect(intake.counts.lost).toBe(lost);
    const events: number[] = [];
    for (let from = 1; ; ) {
      const batch = spool.read("bus", from, 1_000, 1e6);
      if (batch === null) break;
      for (const text of batch.texts) {
        const { signal: name, facts } = JSON.parse(text) as { signal: string; facts: { value: number } };
        if (name === "Q_EVENT") events.push(facts.value);
      }
      from = batch.last + 1;
    }
    // All that tells of something is there, in order: only observations had to go.
    expect(events).toEqual(Array.from({ length: 14_000 }, (_, index) => index * 2));
    db.close();
  });
});
