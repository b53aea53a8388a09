import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { FileWorkers } from "../../../local-agent/file-tasks/file-workers.ts";
import { WorkersSettings } from "../../../local-agent/file-tasks/settings.ts";
import { Spool } from "../../../local-agent/store/spool.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";
import { eventually } from "../../harness/eventually.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A worker whose command prints `{"pad": "xx…"}` of as many bytes as its task says. */
async function openPrinter(more = "true") {
  const root = temporaryDirectory();
  const db = StateDatabase.open(temporaryDirectory());
  const spool = new Spool(db, { hostId: "a", maxBytes: 1e9, now: Date.now, log: silent });
  const script =
    'let t="";process.stdin.on("data",(c)=>t+=c).on("end",()=>process.stdout.write(JSON.stringify({pad:"x".repeat(JSON.parse(t).size-10)})))';
  const command = ["/bin/sh", "-c", `"$NODE" -e '${script}' && ${more}`];
  const service = new FileWorkers({
    edge: { url: "http://127.0.0.1:9", token: () => "none", ecosystem: "default" },
    settings: WorkersSettings.parse({
      run: [{ name: "size", command, attempts: 1, environment: { NODE: process.execPath } }],
    }),
    root,
    host: "a",
    spool,
    now: () => Date.now(),
    log: silent,
  });
  closing.push(async () => {
    await service.stop();
    db.close();
  });
  await service.start();
  const results = join(root, "results", "size");
  const claimed = join(root, "tasks", "size", ".claimed");
  return {
    root,
    results,
    async run(id: string, size: number) {
      writeFileSync(join(root, "tasks", "size", ".new"), JSON.stringify({ size }));
      renameSync(join(root, "tasks", "size", ".new"), join(root, "tasks", "size", `${id}.json`));
      const ended = () => service.health[0]?.complete ?? 0;
      const before = ended();
      await eventually(() => expect(ended() + (service.health[0]?.failed ?? 0)).toBe(before + 1));
      expect(readdirSync(claimed)).toEqual([]);
      return existsSync(join(results, `${id}.json`))
        ? (JSON.parse(readFileSync(join(results, `${id}.json`), "utf8")) as Record<string, unknown>)
        : undefined;
    },
    complete: () =>
      (spool.read("local", 1, 1_000, 1e9)?.texts ?? [])
        .map((text) => JSON.parse(text) as { signal: string; facts: Record<string, unknown> })
        .filter(({ signal }) => signal === "Q_WORKER_TASK_COMPLETE")
        .map(({ facts }) => facts),
  };
}

describe("the output of a worker's command", () => {
  it("is the result as a value, up to what is kept of an output", async () => {
    const { run, results } = await openPrinter();
    expect(await run("t1", 131_072)).toMatchObject({ status: "complete", result: { pad: "x".repeat(131_062) } });
    expect(readdirSync(results)).toEqual(["t1.json"]);
  });

  it.each([131_073, 131_100, 3_000_000])(
    "of %i bytes is an outcome of its own: the result says so, and where the whole is kept",
    async (size) => {
      const { run, results, complete } = await openPrinter();
      const path = join(results, "t1.output");
      const result = { truncated: true, size, path, host: "a", output: expect.stringMatching(/^… x+"}$/) };
      expect(await run("t1", size)).toMatchObject({ status: "complete", result });
      expect(readFileSync(path, "utf8")).toBe(JSON.stringify({ pad: "x".repeat(size - 10) }));
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(complete()).toMatchObject([{ task_id: "t1", result }]);
    },
  );

  it("of an earlier task with the same id is removed with the earlier result", async () => {
    const { run, results } = await openPrinter();
    await run("t1", 200_000);
    await run("t1", 100);
    expect(readdirSync(results)).toEqual(["t1.json"]);
  });

  it("leaves no file behind when the command fails", async () => {
    const { run, results } = await openPrinter("false");
    expect(await run("t1", 200_000)).toBeUndefined();
    expect(readdirSync(results)).toEqual([]);
  });

  it("that is too large for the signal is left out of it, and the signal says so", async () => {
    const { run, complete } = await openPrinter();
    await run("t1", 20_000);
    expect(complete()).toEqual([
      expect.objectContaining({
        task_id: "t1",
        truncated: true,
        result_bytes: 20_000,
        result_path: "results/size/t1.json",
      }),
    ]);
    expect(complete()[0]).not.toHaveProperty("result");
  });
});
