import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { TimedSignal } from "../../../local-agent/store/signal-text.ts";
import { Spool } from "../../../local-agent/store/spool.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";
import { smallDisk } from "../../faults/soak/small-disk.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";

const source = (name: string) => fileURLToPath(new URL(`../../../local-agent/${name}`, import.meta.url));

function open(directory: string) {
  const db = StateDatabase.open(directory);
  return { db, spool: new Spool(db, { hostId: "a", maxBytes: 1e9, now: Date.now, log: silent }) };
}

/** Takes signals in, in a process of its own, and kills it: the database is left with its write-ahead log. */
async function killedWith(directory: string, count: number): Promise<void> {
  const script = `
    import { createLog } from ${JSON.stringify(source("base/log.ts"))};
    import { Spool } from ${JSON.stringify(source("store/spool.ts"))};
    import { StateDatabase } from ${JSON.stringify(source("store/state-database.ts"))};
    const log = createLog({ format: "json", level: "silent" });
    const db = StateDatabase.open(${JSON.stringify(directory)});
    const spool = new Spool(db, { hostId: "a", maxBytes: 1e9, now: Date.now, log });
    const factsJson = JSON.stringify({ filling: "x".repeat(500) });
    for (let n = 0; n < ${count}; n++)
      await spool.put("local", [{ signal: "Q_TEST", source: "test", timestampMs: 1_700_000_000_000, factsJson }]);
    setTimeout(() => console.log("done"), 50);
    setInterval(() => {}, 60_000);`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve) => createInterface({ input: child.stdout }).once("line", resolve));
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("exit", resolve));
}

describe("a state database that has lost signals although it is sound", () => {
  it("is told of and moved away, with its write-ahead log, when it was emptied", async () => {
    const directory = temporaryDirectory();
    await killedWith(directory, 20);
    truncateSync(join(directory, "agent.db"));
    const { db, spool } = open(directory);
    expect(db.damage).toBe(
      "the state database was emptied or removed: signals that the edge had not confirmed are lost",
    );
    expect(statSync(`${db.movedAside}-wal`).size).toBeGreaterThan(0);
    expect(spool.empty).toBe(true);
    db.close();
    const again = open(directory);
    expect(again.db.damage).toBeUndefined();
    again.db.close();
  });

  it("is told of when it was removed", async () => {
    const directory = temporaryDirectory();
    const first = open(directory);
    first.db.close();
    for (const name of readdirSync(directory)) if (name.startsWith("agent.db")) rmSync(join(directory, name));
    const { db } = open(directory);
    expect(db.damage).toContain("was emptied or removed");
    expect(db.movedAside).toBeUndefined();
    db.close();
  });

  it.each([
    ["cut", (path: string) => truncateSync(path, Math.floor(statSync(path).size / 2))],
    ["emptied", (path: string) => truncateSync(path)],
    ["removed", (path: string) => rmSync(path)],
    [
      "overwritten in the middle",
      (path: string) => {
        const content = readFileSync(path);
        content.fill(0xff, content.length / 2, content.length / 2 + 100);
        writeFileSync(path, content);
      },
    ],
  ])("is told of with the number of signals when its write-ahead log was %s", async (what, damage) => {
    const directory = temporaryDirectory();
    await killedWith(directory, 20);
    const log = join(directory, "agent.db-wal");
    damage(log);
    const had = existsSync(log) && statSync(log).size > 0;
    const { db, spool } = open(directory);
    const lost = /(\d+) signals that were taken in are missing/.exec(db.damage ?? "")?.[1];
    const another = "the state database is not the one of before";
    // Without any of the log, nothing says that this is the same database.
    if (lost === undefined) expect(db.damage).toContain(another);
    else expect(Number(lost) + spool.depth("local").signals).toBe(20);
    if (what === "cut" || what.startsWith("overwritten")) expect(Number(lost)).toBeGreaterThan(0);
    const copies = readdirSync(directory).filter((name) => name.includes("damaged"));
    expect(copies).toHaveLength(had ? 1 : 0);
    db.close();
    const again = open(directory);
    expect(again.db.damage).toBeUndefined();
    expect(readdirSync(directory).filter((name) => name.includes("before-wal"))).toEqual([]);
    again.db.close();
  });

  it("is not told of after a kill, nor when the marker knows less or cannot be read", async () => {
    const directory = temporaryDirectory();
    await killedWith(directory, 5);
    const first = open(directory);
    expect([first.db.damage, first.spool.depth("local").signals]).toEqual([undefined, 5]);
    first.db.close();
    for (const text of ["", "ganglion-spool 1 ab 9 9 0123456789abcdef\n", "\0".repeat(160)]) {
      writeFileSync(join(directory, "agent.mark"), text);
      const { db, spool } = open(directory);
      expect([db.damage, spool.depth("local").signals]).toEqual([undefined, 5]);
      db.close();
    }
  });
});

describe("an agent that was killed on a full disk", () => {
  const disk = smallDisk(32);

  it.runIf(disk.canFill)("opens its spool, and deletes what the edge has confirmed", async () => {
    await killedWith(disk.directory, 200);
    disk.fill();
    const { db, spool } = open(disk.directory);
    expect(db.neededReserve).toBe(true);
    expect(spool.depth("local").signals).toBe(200);
    for (let last = 20; last <= 200; last += 20) await spool.forget("local", last);
    expect(spool.empty).toBe(true);
    db.close();
    disk.free();
    const again = open(disk.directory);
    expect(again.db.neededReserve).toBe(false);
    expect(existsSync(join(disk.directory, "reserve"))).toBe(true);
    again.db.close();
  });

  it.runIf(disk.canFill)("deletes what the edge has confirmed, when the disk becomes full while it runs", async () => {
    const { db, spool } = open(disk.directory);
    const large: TimedSignal = {
      id: undefined,
      cause: undefined,
      trace: undefined,
      depth: undefined,
      signal: "Q_TEST",
      source: "test",
      timestampMs: 1_700_000_000_000,
      factsJson: JSON.stringify({ filling: "x".repeat(2_000) }),
    };
    disk.fill();
    let taken = 0;
    for (let refused = false; !refused; ) {
      refused = await spool.put("local", [large]).then(
        () => false,
        () => true,
      );
      if (!refused) taken++;
    }
    await spool.forget("local", spool.lastNumber("local"));
    expect(taken).toBeGreaterThanOrEqual(0);
    expect(spool.empty).toBe(true);
    db.close();
  });
});
