import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { appendLine, objectsFromEnd } from "../../../local-agent/base/files/json-lines.ts";
import { temporaryDirectory } from "../store/temporary-state.ts";

async function read(path: string, from?: number) {
  const objects: unknown[] = [];
  for await (const one of objectsFromEnd(path, from)) objects.push(one);
  return objects;
}

test("JSON objects are read from the end of a file, also long ones, and other lines are skipped", async () => {
  const path = join(temporaryDirectory(), "log.jsonl");
  expect(await read(path)).toEqual([]);
  const objects = [{ n: 1 }, { n: 2, text: "ü".repeat(100_000) }, { n: 3 }];
  writeFileSync(path, `${JSON.stringify(objects[0])}\n\nprose\n[1]\n${JSON.stringify(objects[1])}\n{"half\n`);
  await appendLine(path, objects[2]);
  expect(await read(path)).toEqual(objects.toReversed());
  expect(await read(path, readFileSync(path).length - 10)).toEqual([{ n: 3 }]);
  expect(await read(path, 1e9)).toHaveLength(3);
});

test("a line after half a line that a crash left is read", async () => {
  const path = join(temporaryDirectory(), "deep", "log.jsonl");
  await appendLine(path, { n: 1 });
  appendFileSync(path, '{"n": 2');
  await appendLine(path, { n: 3 });
  expect(await read(path)).toEqual([{ n: 3 }, { n: 1 }]);
});
