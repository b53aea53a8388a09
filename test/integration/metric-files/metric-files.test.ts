import { once } from "node:events";
import {
  appendFileSync,
  copyFileSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { MetricFileSource } from "../../../local-agent/metric-files/metric-file-source.ts";
import { type FilesByName, filesByDirectory, observationOf } from "../../../local-agent/metric-files/records.ts";
import { DeadLetterFile } from "../../../local-agent/store/dead-letter-file.ts";
import { Spool } from "../../../local-agent/store/spool.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";
import fc from "../../fast-check.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";

const NOW = Date.UTC(2026, 0, 1);

function anAgent(directory = temporaryDirectory(), state = temporaryDirectory(), files?: FilesByName) {
  const db = StateDatabase.open(state);
  const spool = new Spool(db, { hostId: "h", maxBytes: 1e9, now: () => NOW, log: silent });
  const path = join(state, "metrics.jsonl");
  const deadLetters = new DeadLetterFile({ path, maxBytes: 1e6, log: silent });
  const source = new MetricFileSource({
    directory,
    ...(files && { files }),
    hostId: "h",
    spool,
    db,
    deadLetters,
    now: () => NOW,
    log: silent,
    rescanMs: 3_600_000,
  });
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= source.stop().then(() => db.close()));
  onTestFinished(stop);
  const signals = () => {
    const found: { timestamp: string; facts: Record<string, unknown> }[] = [];
    for (let batch = spool.read("local", 1, 1_000, 1e8); batch !== null; ) {
      found.push(...batch.texts.map((text) => JSON.parse(text)));
      batch = spool.read("local", batch.first + batch.texts.length, 1_000, 1e8);
    }
    return found;
  };
  const letters = () =>
    readFileSync(path, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const taken = () => signals().map(({ facts }) => facts.n);
  return { directory, state, source, stop, signals, letters, taken, file: (name: string) => join(directory, name) };
}

const line = (n: number) => `{"n":${n}}\n`;

describe("metric files that lie elsewhere", () => {
  test("are followed at the paths of the settings, each of them and no other", async () => {
    const [metrics, lineage] = [temporaryDirectory(), temporaryDirectory()];
    const byDirectory = filesByDirectory(metrics, { "fitness_ledger.jsonl": join(lineage, "ledger.jsonl") });
    expect([...byDirectory.keys()]).toEqual([metrics, lineage]);
    const agents = [...byDirectory].map(([directory, files]) => anAgent(directory, temporaryDirectory(), files));
    writeFileSync(join(lineage, "ledger.jsonl"), '{"variant":"b","success":"True","n":1}\n');
    writeFileSync(join(lineage, "queue_metrics.jsonl"), line(2));
    writeFileSync(join(metrics, "queue_metrics.jsonl"), line(3));
    writeFileSync(join(metrics, "fitness_ledger.jsonl"), line(4));
    for (const { source } of agents) {
      await source.start();
      await source.rescan();
    }
    expect(agents.map(({ taken }) => taken())).toEqual([[3], [1]]);
    expect(agents[1]?.signals()[0]?.facts).toMatchObject({ variant: "b", ok: true });
    renameSync(join(lineage, "ledger.jsonl"), join(lineage, "ledger.jsonl.1"));
    appendFileSync(join(lineage, "ledger.jsonl.1"), line(5));
    await agents[1]?.source.rescan();
    expect(agents[1]?.taken()).toEqual([1, 5]);
  });
});

describe("metric file source", () => {
  test("turns the records of each of the six files into observations that its scanner understands", () => {
    const facts = (file: Parameters<typeof observationOf>[0], record: object) => observationOf(file, record, "h").facts;
    expect(facts("inference_metrics.jsonl", { task: "chat", tokens_per_second: 5 })).toEqual({
      zooid: "metrics/h",
      niche: "inference",
      task_type: "chat",
      tokens_per_sec: 5,
    });
    expect(facts("context_utilization.jsonl", { context_length: 9, reference_positions: [1] })).toMatchObject({
      context_length: 9,
      references: [1],
    });
    expect(facts("resource_metrics.jsonl", { zooid: "z", cpu_percent: 5, cpu: 7 })).toMatchObject({
      zooid: "z",
      cpu_percent: 5,
    });
    expect(facts("queue_metrics.jsonl", { queue: "q", depth: 5 })).toMatchObject({ queue_name: "q", depth: 5 });
    expect(facts("operation_timings.jsonl", { name: "op", duration_ms: 5 })).toMatchObject({
      operation: "op",
      duration_ms: 5,
    });
    expect(
      facts("fitness_ledger.jsonl", { zooid_name: "z", brainmod: "m", niche: "sql", success: 0, latency_ms: 5 }),
    ).toEqual({ zooid_name: "z", brainmod: "m", niche: "sql", ok: false, ttr_ms: 5 });
  });

  test.each([
    [{ ts: 1_767_225_600 }, "2026-01-01T00:00:00.000Z"],
    [{ timestamp: 1_767_225_600_500 }, "2026-01-01T00:00:00.500Z"],
    [{ timestamp: "2026-01-01T01:00:00+01:00" }, "2026-01-01T00:00:00.000Z"],
    [{}, undefined],
  ])("the time of %j is %s", (record, timestamp) => {
    expect(observationOf("queue_metrics.jsonl", record, "h").timestamp).toBe(timestamp);
  });

  test("takes a line once, when it is complete", async () => {
    const { source, file, taken } = anAgent();
    const path = file("queue_metrics.jsonl");
    await source.start();
    writeFileSync(path, `${line(1)}{"n":`);
    await source.rescan();
    expect(taken()).toEqual([1]);
    await source.rescan();
    appendFileSync(path, "2}\r\n\n");
    await source.rescan();
    expect(taken()).toEqual([1, 2]);
  });

  test("dead-letters bad lines with file and offset, and takes the lines around them", async () => {
    const { source, file, taken, letters } = anAgent();
    const long = `{"n":"${"x".repeat(600_000)}"}\n`;
    writeFileSync(
      file("queue_metrics.jsonl"),
      `${line(1)}not json\n[]\n{"ts":"soon"}\n{"ok":"may"}\n\xff\n${long}${line(2)}`,
      "latin1",
    );
    await source.start();
    await source.rescan();
    expect(taken()).toEqual([1, 2]);
    expect(letters().map(({ offset }) => offset)).toEqual([8, 17, 20, 34, 47, 49]);
    expect(letters().map(({ error }) => error)).toEqual([
      expect.stringContaining("JSON"),
      "the line is not one JSON object",
      expect.stringContaining("timestamp"),
      expect.stringContaining("ok: give true or false"),
      expect.anything(),
      expect.stringContaining("longer than"),
    ]);
    expect(source.report().detail).toContain("6 lines could not be read");
  });

  test.each(["true", "yes", "True", " YES ", "y", "on", "1", "ok", "success", 1, true])(
    "reads %j as a success",
    (success) => {
      expect(observationOf("fitness_ledger.jsonl", { success }, "h").facts).toMatchObject({ ok: true });
      expect(observationOf("fitness_ledger.jsonl", { ok: success }, "h").facts).toMatchObject({ ok: true });
    },
  );

  test.each(["false", "no", "False", "n", "off", "0", "failed", 0, false])("reads %j as a failure", (success) => {
    expect(observationOf("fitness_ledger.jsonl", { success }, "h").facts).toMatchObject({ ok: false });
  });

  test.each(["maybe", "", 2, -1, [], {}, "truee"])("refuses %j as a success, with a word", (success) => {
    expect(() => observationOf("fitness_ledger.jsonl", { success }, "h")).toThrow("success: give true or false");
  });

  test("leaves it open whether a record without a success, or with null, succeeded", () => {
    for (const record of [{}, { success: null }])
      expect(observationOf("fitness_ledger.jsonl", record, "h").facts).not.toHaveProperty("ok");
  });

  const aged = (path: string, ms: number) => utimesSync(path, (NOW - ms) / 1_000, (NOW - ms) / 1_000);

  test("reads the last line of a renamed file without its line feed, once nobody writes to it", async () => {
    const { source, file, taken } = anAgent();
    const path = file("inference_metrics.jsonl");
    await source.start();
    writeFileSync(path, `${line(5)}{"n":6}`);
    await source.rescan();
    renameSync(path, `${path}.1`);
    writeFileSync(path, line(7));
    aged(`${path}.1`, 1_000);
    await source.rescan();
    expect(taken().toSorted()).toEqual([5, 7]);
    aged(`${path}.1`, 3_000);
    await source.rescan();
    await source.rescan();
    expect(taken().toSorted()).toEqual([5, 6, 7]);
  });

  test("dead-letters half a line at the end of a renamed file", async () => {
    const { source, file, taken, letters } = anAgent();
    const path = file("inference_metrics.jsonl");
    await source.start();
    writeFileSync(path, `${line(5)}{"n":`);
    await source.rescan();
    renameSync(path, `${path}.1`);
    aged(`${path}.1`, 3_000);
    await source.rescan();
    await source.rescan();
    expect(taken()).toEqual([5]);
    expect(letters().map(({ line }) => line)).toEqual(['{"n":']);
  });

  test("reads a last line without its line feed that is a whole object, once its file was quiet for long", async () => {
    const { source, file, taken } = anAgent();
    const path = file("inference_metrics.jsonl");
    await source.start();
    writeFileSync(path, `${line(5)}{"n":6}`);
    aged(path, 11_000);
    await source.rescan();
    expect(taken()).toEqual([5, 6]);
    appendFileSync(path, `\n${line(7)}{"n":`);
    aged(path, 11_000);
    await source.rescan();
    expect(taken()).toEqual([5, 6, 7]);
  });

  test("says of a file behind a link that it is not read, until it is gone", async () => {
    const { source, file, directory, taken } = anAgent();
    await source.start();
    writeFileSync(join(directory, "behind"), line(1));
    symlinkSync(join(directory, "behind"), file("context_utilization.jsonl"));
    await source.rescan();
    expect(taken()).toEqual([]);
    expect(source.report()).toMatchObject({
      state: "failing",
      detail: `${directory}: context_utilization.jsonl is not read: it is a link, and links are not followed: put the file itself there`,
    });
    unlinkSync(file("context_utilization.jsonl"));
    await source.rescan();
    expect(source.report().state).toBe("live");
  });

  test("says of a socket in the place of a metric file that it is not read", async () => {
    const { source, file } = anAgent();
    const socket = createServer().listen(file("queue_metrics.jsonl"));
    await once(socket, "listening");
    onTestFinished(() => void socket.close());
    await source.start();
    await source.rescan();
    expect(source.report()).toMatchObject({
      state: "failing",
      detail: expect.stringContaining("queue_metrics.jsonl is not read: it is not a regular file"),
    });
  });

  test("reads a line that begins with a byte-order mark", async () => {
    const { source, file, taken } = anAgent();
    writeFileSync(file("queue_metrics.jsonl"), `\ufeff${line(1)}${line(2)}`);
    await source.start();
    await source.rescan();
    expect(taken()).toEqual([1, 2]);
  });

  test("reads a renamed file to its end and the new file from its start", async () => {
    const { source, file, taken } = anAgent();
    const path = file("operation_timings.jsonl");
    await source.start();
    writeFileSync(path, line(1));
    await source.rescan();
    appendFileSync(path, line(2));
    renameSync(path, `${path}.1`);
    writeFileSync(path, line(4));
    await source.rescan();
    appendFileSync(`${path}.1`, line(3));
    await source.rescan();
    expect(taken().toSorted()).toEqual([1, 2, 3, 4]);
  });

  test("reads an emptied file from its start, and never its copy", async () => {
    const { source, file, taken } = anAgent();
    const path = file("fitness_ledger.jsonl");
    await source.start();
    writeFileSync(path, line(1) + line(2));
    await source.rescan();
    copyFileSync(path, `${path}.1`);
    truncateSync(path);
    // As long as what was there before, and longer: its size does not tell.
    appendFileSync(path, line(3) + line(4) + line(5));
    await source.rescan();
    expect(taken()).toEqual([1, 2, 3, 4, 5]);
  });

  test.each(["is up", "was down"])(
    "reads the last line without its line feed of a file that was copied and emptied while the agent %s",
    async (state) => {
      let agent = anAgent();
      const path = agent.file("fitness_ledger.jsonl");
      await agent.source.start();
      writeFileSync(path, `${line(1)}{"n":2}`);
      await agent.source.rescan();
      if (state === "was down") await agent.stop();
      copyFileSync(path, `${path}.1`);
      truncateSync(path);
      appendFileSync(path, line(3) + line(4) + line(5));
      if (state === "was down") {
        agent = anAgent(agent.directory, agent.state);
        await agent.source.start();
      }
      await agent.source.rescan();
      await agent.source.rescan();
      expect(agent.taken()).toEqual([1, 2, 3, 4, 5]);
    },
  );

  test("reads the only line of a file without its line feed after it was emptied, and dead-letters half of one", async () => {
    const { source, file, taken, letters } = anAgent();
    const path = file("queue_metrics.jsonl");
    await source.start();
    writeFileSync(path, '{"n":1}');
    await source.rescan();
    writeFileSync(path, "");
    await source.rescan();
    expect(taken()).toEqual([1]);
    writeFileSync(path, `${line(2)}{"n":`);
    await source.rescan();
    writeFileSync(path, line(3));
    await source.rescan();
    expect(taken()).toEqual([1, 2, 3]);
    expect(letters().map(({ line }) => line)).toEqual(['{"n":']);
  });

  test("counts a last line once whose line feed comes later, or that was taken because its file was quiet", async () => {
    const { source, file, taken } = anAgent();
    const path = file("queue_metrics.jsonl");
    await source.start();
    writeFileSync(path, '{"n":1}');
    await source.rescan();
    appendFileSync(path, `\n{"n":2}`);
    aged(path, 11_000);
    await source.rescan();
    writeFileSync(path, line(3));
    await source.rescan();
    expect(taken()).toEqual([1, 2, 3]);
  });

  test("takes lines written while the agent was down, even from a file renamed meanwhile", async () => {
    const first = anAgent();
    const path = first.file("inference_metrics.jsonl");
    writeFileSync(path, line(1));
    await first.source.start();
    await first.source.rescan();
    await first.stop();
    appendFileSync(path, line(2));
    renameSync(path, `${path}-20260101`);
    writeFileSync(path, line(3));
    const second = anAgent(first.directory, first.state);
    await second.source.start();
    await second.source.rescan();
    expect(second.taken().toSorted()).toEqual([1, 2, 3]);
  });

  test("takes a line without a request to scan", async () => {
    const { source, file, taken } = anAgent();
    await source.start();
    writeFileSync(file("queue_metrics.jsonl"), line(7));
    await expect.poll(taken, { timeout: 10_000 }).toEqual([7]);
  });

  test("takes each line exactly once, in any order of writes, renames, truncations and restarts", async () => {
    const step = fc.oneof(
      fc.record({ write: fc.integer({ min: 1, max: 5 }), half: fc.boolean() }),
      fc.constantFrom("rotate" as const, "truncate" as const, "restart" as const, "look" as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        let agent = anAgent();
        const path = agent.file("queue_metrics.jsonl");
        await agent.source.start();
        let n = 0;
        let rotations = 0;
        for (const one of steps) {
          if (typeof one !== "string") {
            let text = "";
            for (let count = 0; count < one.write; count++) text += line(++n);
            const cut = one.half ? text.length - 3 : text.length;
            appendFileSync(path, text.slice(0, cut));
            if (one.half) {
              await agent.source.rescan();
              appendFileSync(path, text.slice(cut));
            }
          } else if (one === "restart") {
            await agent.stop();
            agent = anAgent(agent.directory, agent.state);
            await agent.source.start();
          } else {
            await agent.source.rescan();
            // Nobody can take what is gone before it was looked at, so files are looked at before they are emptied.
            if (one === "rotate" && n > 0) renameIfThere(path, `${path}.${++rotations}`);
            if (one === "truncate" && n > 0) writeFileSync(path, "");
          }
        }
        await agent.source.rescan();
        expect(agent.taken().toSorted((a, b) => Number(a) - Number(b))).toEqual(
          Array.from({ length: n }, (_, place) => place + 1),
        );
        await agent.stop();
      }),
      { numRuns: 20 },
    );
  }, 60_000);

  test("keeps numbers that JSON readers would change as text, and dead-letters what is nested too deeply", async () => {
    const { source, signals, letters, file } = anAgent();
    writeFileSync(
      file("queue_metrics.jsonl"),
      `{"n":9007199254740993}\n{"n":${"[".repeat(9_000)}${"]".repeat(9_000)}}\n{"n":3}\n`,
    );
    await source.start();
    await source.rescan();
    expect(signals().map(({ facts }) => facts.n)).toEqual(["9007199254740993", 3]);
    expect(source.counts).toEqual({ taken: 2, bad: 1, keptAsText: 1 });
    expect(letters()).toMatchObject([{ error: expect.stringContaining("nested too deeply") }]);
  });
});

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
