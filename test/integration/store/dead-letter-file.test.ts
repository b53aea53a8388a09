import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DeadLetterFile } from "../../../local-agent/store/dead-letter-file.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";

const lines = (path: string) =>
  readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("dead-letter file", () => {
  it("holds one object a line, in order", async () => {
    const path = join(temporaryDirectory(), "deep", "bus.jsonl");
    const file = new DeadLetterFile({ path, maxBytes: 1e6, log: silent });
    const written = [1, 2, 3].map((n) => file.add({ n }));
    expect(await Promise.all(written)).toEqual([true, true, true]);
    expect(lines(path)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  it("keeps one older generation and no more", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "bus.jsonl");
    const file = new DeadLetterFile({ path, maxBytes: 50, log: silent });
    for (let n = 0; n < 40; n++) await file.add({ n, text: "x".repeat(20) });
    expect(existsSync(join(directory, "bus.1.jsonl"))).toBe(true);
    expect(existsSync(join(directory, "bus.2.jsonl"))).toBe(false);
    expect(lines(path).at(-1)).toMatchObject({ n: 39 });
    expect(lines(path).length + lines(join(directory, "bus.1.jsonl")).length).toBeLessThan(10);
  });

  it("reports a dead letter that cannot be written, and one too many at once", async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "file"), "");
    const nowhere = new DeadLetterFile({ path: join(directory, "file", "bus.jsonl"), maxBytes: 1e6, log: silent });
    expect(await nowhere.add({ n: 1 })).toBe(false);
    const flooded = new DeadLetterFile({ path: join(directory, "bus.jsonl"), maxBytes: 1e9, log: silent });
    const letters = Array.from({ length: 30 }, () => flooded.add({ text: "x".repeat(100_000) }));
    expect(await Promise.all(letters)).toContain(false);
  });
});
