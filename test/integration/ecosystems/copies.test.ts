import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";

const edge = await runEdge();
const directory = temporaryDirectory();

/** Runs the command as a process of its own. @returns its exit status */
async function ganglion(...args: string[]): Promise<number | null> {
  const running = new RunningProcess(["cli/ganglion.mjs", "ecosystem", ...args, "--url", edge.url], {
    env: { GANGLION_TOKEN: edge.token },
  });
  const ended = await running.ended;
  return typeof ended === "number" ? ended : null;
}

describe("ganglion ecosystem", () => {
  it("exports, deletes and imports an ecosystem of many pages, with a task that waits", async () => {
    const client = edge.client("big");
    const text = "ü".repeat(5_000);
    for (let n = 0; n < 20; n++)
      await client.emit(Array.from({ length: 50 }, (_, m) => ({ signal: "BIG", source: "s", facts: { n, m, text } })));
    await client.queues.put("work", [{ recipient: "w", type: "T", payload: 1, task_id: "t1" }]);
    const before = await client.signals({ limit: 1_000, order: "asc" });
    const file = join(directory, "big.ndjson");
    expect(await ganglion("export", file, "--ecosystem", "big")).toBe(0);
    expect(await ganglion("delete", "--ecosystem", "big")).not.toBe(0);
    expect(await ganglion("import", file, "--ecosystem", "big")).not.toBe(0);
    expect(await ganglion("delete", "--ecosystem", "big", "--yes")).toBe(0);
    expect((await client.signals({ limit: 1_000 })).signals).toEqual([]);
    const cut = join(directory, "cut.ndjson");
    writeFileSync(cut, readFileSync(file, "utf8").split("\n").slice(0, -3).join("\n"));
    expect(await ganglion("import", cut, "--ecosystem", "big")).not.toBe(0);
    expect(await ganglion("import", file, "--ecosystem", "big")).toBe(0);
    expect(await client.signals({ limit: 1_000, order: "asc" })).toEqual(before);
    expect((await client.queues.tasks("work", { limit: 10 })).tasks).toMatchObject([{ task_id: "t1" }]);
  });
});
