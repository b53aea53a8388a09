import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { TooMuch, TreeCopy } from "../../../local-edge/backup/tree-copy.ts";
import { WentOn, whileStopped } from "../../../local-edge/backup/while-stopped.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { alive } from "../../harness/process-alive.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";

async function edgeCommand(...args: string[]) {
  const running = new RunningProcess(["local-edge/command.ts", ...args]);
  return { code: await running.ended, output: running.lines.join("\n") };
}

const backUp = (stateDir: string, directory: string) =>
  edgeCommand("backup", directory, "--state-dir", stateDir, "--json");

/** Emits, queues and has rules decide without a pause, until it is stopped. What the edge confirmed is counted. */
function load(edge: RunningEdge) {
  const client = edge.client();
  let confirmed = 0;
  let stopped = false;
  const lane = async (n: number) => {
    for (let i = 0; !stopped; i++) {
      await client.emit({ signal: "Q_LOAD", source: `lane-${n}`, facts: { i } });
      await client.queues.put("load", [{ recipient: "nobody", type: "load", payload: { i } }]);
      confirmed++;
    }
  };
  const lanes = Promise.all([0, 1, 2, 3].map(lane));
  return {
    confirmed: () => confirmed,
    stop: () => {
      stopped = true;
      return lanes;
    },
  };
}

const RULE = {
  id: "loaded",
  when: "Q_LOAD",
  rate: { n: 100_000, per: "1m" },
  then: [{ emit: { signal: "Q_LOADED", facts: { i: "facts.i" } } }],
};

describe("ganglion-edge backup", () => {
  it("copies an edge that works, at one moment: an edge on the copy has all that was confirmed, and goes on", async () => {
    const edge = await runEdge();
    await edge.client().policy.put(RULE.id, RULE);
    const work = load(edge);
    await expect.poll(work.confirmed).toBeGreaterThan(50);
    const before = work.confirmed();
    const directory = join(temporaryDirectory(), "copy");
    const { code, output } = await backUp(edge.stateDir, directory);
    expect(code, output).toBe(0);
    const { pause_ms, databases } = JSON.parse(output) as { pause_ms: number; databases: number };
    expect([pause_ms > 0, pause_ms < 1_500, databases > 5]).toEqual([true, true, true]);
    // The edge has gone on.
    const after = work.confirmed();
    await expect.poll(work.confirmed).toBeGreaterThan(after + 20);
    await work.stop();
    expect(await edge.process.stop()).toBe(0);

    const copy = await runEdge({ stateDir: directory });
    expect(copy.token).toBe(edge.token);
    const client = copy.client();
    const { log } = await client.status();
    expect(log.head_seq).toBeGreaterThanOrEqual(before);
    expect((await client.queues.status("load")).depth).toBeGreaterThanOrEqual(before);
    // Signals without a hole, and a rule that goes on where the log is.
    const { ids } = await client.emit({ signal: "Q_LOAD", source: "after", facts: { i: -1 } });
    await expect
      .poll(async () => (await client.signals({ signals: ["Q_LOADED"], order: "desc", limit: 50 })).signals)
      .toContainEqual(expect.objectContaining({ cause: ids[0] }));
    // Each signal was decided once: no object was ahead of the log, or lost what it had sent.
    const causes = new Set<string>();
    let decided = 0;
    for await (const { signal, cause = "" } of allSignals(client)) {
      if (signal !== "Q_LOADED") continue;
      decided++;
      causes.add(cause);
    }
    expect(causes.size).toBe(decided);
    expect(decided).toBeGreaterThanOrEqual(before);
  });

  it("copies an edge that is stopped, and tells a copy that has changed since", async () => {
    const edge = await runEdge();
    await edge.client().emit({ signal: "Q_KEPT", source: "test", facts: {} });
    expect(await edge.process.stop()).toBe(0);
    const directory = join(temporaryDirectory(), "copy");
    const { code, output } = await backUp(edge.stateDir, directory);
    expect(code, output).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ pause_ms: 0 });
    expect([statSync(directory).mode & 0o777, statSync(join(directory, "token")).mode & 0o777]).toEqual([0o700, 0o600]);
    expect(await edgeCommand("check", directory)).toMatchObject({ code: 0 });
    const log = join(directory, "edge/do/ganglion-SignalLog");
    const [name = ""] = readdirSync(log).filter((file) => /^[0-9a-f]{64}\.sqlite$/.test(file));
    const bytes = readFileSync(join(log, name));
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
    writeFileSync(join(log, name), bytes);
    rmSync(join(directory, "token"));
    const changed = await edgeCommand("check", directory);
    expect(changed.code).toBe(1);
    expect(changed.output).toMatch(/SignalLog\/[0-9a-f]+\.sqlite has changed since the backup/);
    expect(changed.output).toContain("token is missing");
  });

  it.skipIf(process.getuid?.() !== 0)("belongs to the user of the state, also where root makes it", async () => {
    const stateDir = temporaryDirectory();
    mkdirSync(join(stateDir, "edge/do"), { recursive: true });
    writeFileSync(join(stateDir, "token"), "x".repeat(20));
    chownSync(stateDir, 1234, 1235);
    const directory = join(temporaryDirectory(), "copy");
    const { code, output } = await backUp(stateDir, directory);
    expect(code, output).toBe(0);
    for (const path of [
      directory,
      join(directory, "token"),
      join(stateDir, "backup.lock"),
      join(stateDir, "edge.lock"),
    ])
      expect([statSync(path).uid, statSync(path).gid]).toEqual([1234, 1235]);
  });

  it("leaves nothing where a database is damaged, and names it", async () => {
    const stateDir = temporaryDirectory();
    mkdirSync(join(stateDir, "edge/do/ganglion-Models"), { recursive: true });
    writeFileSync(join(stateDir, "token"), "x".repeat(20));
    writeFileSync(join(stateDir, "edge/do/ganglion-Models/a.sqlite"), "no database".repeat(1_000));
    const directory = join(temporaryDirectory(), "copy");
    const { code, output } = await backUp(stateDir, directory);
    expect(code).toBe(1);
    expect(output).toMatch(/edge\/do\/ganglion-Models\/a\.sqlite cannot be read back/);
    expect([existsSync(directory), existsSync(`${directory}.part`)]).toEqual([false, false]);
  });

  it.each([
    ["a directory that exists", () => temporaryDirectory(), /exists/],
    ["a place within the state", (stateDir: string) => join(stateDir, "edge", "copy"), /lies in the state/],
  ])("refuses %s", async (_, directory, reason) => {
    const stateDir = temporaryDirectory();
    mkdirSync(join(stateDir, "edge"));
    const { code, output } = await backUp(stateDir, directory(stateDir));
    expect(code).toBe(1);
    expect(output).toMatch(reason);
  });
});

async function* allSignals(client: ReturnType<RunningEdge["client"]>) {
  let after: number | undefined;
  do {
    const page = await client.signals({ order: "asc", limit: 1_000, ...(after === undefined ? {} : { after }) });
    yield* page.signals;
    after = page.next ?? undefined;
  } while (after !== undefined);
}

describe("a copy that is brought up to date", () => {
  it("copies what has changed, also within a tick of the clock, and drops what has gone", () => {
    const [from, to] = [temporaryDirectory(), temporaryDirectory()];
    writeFileSync(join(from, "old"), "old");
    utimesSync(join(from, "old"), 1, 1);
    writeFileSync(join(from, "same-size"), "a");
    writeFileSync(join(from, "gone"), "x");
    writeFileSync(join(from, "made-anew-shm"), "x");
    const copy = new TreeCopy(from, to);
    expect(copy.round().files).toBe(3);
    const { mtime } = statSync(join(from, "same-size"));
    writeFileSync(join(from, "same-size"), "b");
    utimesSync(join(from, "same-size"), mtime, mtime);
    rmSync(join(from, "gone"));
    expect(copy.round()).toMatchObject({ files: 1, bytes: 1 });
    expect(readdirSync(to).sort()).toEqual(["old", "same-size"]);
    expect(readFileSync(join(to, "same-size"), "utf8")).toBe("b");
  });

  it("copies nothing where it would be more than may be", () => {
    const [from, to] = [temporaryDirectory(), temporaryDirectory()];
    writeFileSync(join(from, "large"), "x".repeat(1_000));
    expect(() => new TreeCopy(from, to).round(999)).toThrow(TooMuch);
    expect(readdirSync(to)).toEqual([]);
  });
});

const COUNTS = "let n = 0; setInterval(() => console.log(++n), 5)";

describe("a process that is stopped for a moment", () => {
  it("does nothing meanwhile, and goes on", async () => {
    const counting = new RunningProcess(["-e", COUNTS]);
    await counting.times(/\d/, 3);
    const lines = await whileStopped(counting.pid, () => {
      const [before, until] = [readFileSync(`/proc/${counting.pid}/schedstat`, "utf8"), performance.now() + 50];
      while (performance.now() < until);
      return [before, readFileSync(`/proc/${counting.pid}/schedstat`, "utf8")];
    });
    expect(lines[0]).toBe(lines[1]);
    await counting.times(/\d/, counting.lines.length + 3);
  });

  it("that somebody else lets go on makes what was read of it count for nothing", async () => {
    const counting = new RunningProcess(["-e", COUNTS]);
    await counting.times(/\d/, 3);
    const disturbed = whileStopped(counting.pid, () => {
      process.kill(counting.pid, "SIGCONT");
      const until = performance.now() + 50;
      while (performance.now() < until);
    });
    await expect(disturbed).rejects.toThrow(WentOn);
  });

  it("goes on by itself where the process that stopped it is killed", async () => {
    const counting = new RunningProcess(["-e", COUNTS]);
    await counting.times(/\d/, 3);
    const stopper = new RunningProcess([
      "-e",
      `import("./local-edge/backup/while-stopped.ts").then(({ whileStopped }) =>
         whileStopped(${counting.pid}, () => { require("fs").writeSync(1, "stopped\\n"); for (;;); }, 1))`,
    ]);
    await stopper.line(/stopped/);
    stopper.signal("SIGKILL");
    await stopper.ended;
    await counting.times(/\d/, counting.lines.length + 3);
    expect(alive(counting.pid)).toBe(true);
  });

  it("that has ended makes it an error", async () => {
    const ended = new RunningProcess(["-e", ""]);
    await ended.ended;
    await expect(whileStopped(ended.pid, () => undefined)).rejects.toThrow(WentOn);
  });
});
