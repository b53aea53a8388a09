import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";

const SCRIPT = join(PROJECT_ROOT, "scripts/write-python.ts");
const lines = (...path: string[]) => readFileSync(join(...path), "utf8").split("\n");

it("the Python client has every operation as the API describes it now, and the library as it is", () => {
  const directory = temporaryDirectory();
  // In a process of its own: the whole Worker is loaded for its description, which is quicker there.
  execFileSync(process.execPath, [SCRIPT, directory]);
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((file) => /\.\w+$/.test(file));
  expect(files.toSorted()).toEqual(["_operations.py", "intelligence/library.json", "types.py"]);
  for (const file of files) {
    const wanted = lines(directory, file);
    const found = lines(PROJECT_ROOT, "python/src/ganglion", file);
    const difference = wanted.findIndex((line, index) => line !== found[index]);
    const message = `python/src/ganglion/${file} is not up to date: node scripts/bootstrap.mjs --no-install scripts/write-python.ts`;
    expect(difference === -1 ? found.length : found.slice(difference, difference + 3), message).toEqual(
      difference === -1 ? wanted.length : wanted.slice(difference, difference + 3),
    );
  }
});
