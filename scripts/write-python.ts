import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PROJECT_ROOT } from "../local-edge/paths.ts";
import { BUILT_IN_LIBRARY_JSON } from "../src/core/intelligence/built-in-library.ts";
import { readOpenApi } from "./python/open-api.ts";
import { pythonModules } from "./python/operations.ts";

/**
 * Writes the files of the Python client that follow from the description of the API, and its copy of the built-in library.
 * Run it after a change of a route or of the library; a test compares what is there.
 *
 *   node scripts/bootstrap.mjs --no-install scripts/write-python.ts [directory]
 */
const directory = process.argv[2] ?? join(PROJECT_ROOT, "python/src/ganglion");
const files = {
  ...pythonModules(await readOpenApi()),
  "intelligence/library.json": `${JSON.stringify(JSON.parse(BUILT_IN_LIBRARY_JSON), null, 1)}\n`,
};
for (const [file, text] of Object.entries(files)) {
  const path = join(directory, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
