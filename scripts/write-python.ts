import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "../local-edge/paths.ts";
import { readOpenApi } from "./python/open-api.ts";
import { pythonModules } from "./python/operations.ts";

/**
 * Writes the modules of the Python client that follow from the description of the API. Run it after a change of a route; a
 * test compares what is there.
 *
 *   node scripts/bootstrap.mjs --no-install scripts/write-python.ts [directory]
 */
const directory = process.argv[2] ?? join(PROJECT_ROOT, "python/src/ganglion");
mkdirSync(directory, { recursive: true });
for (const [file, text] of Object.entries(pythonModules(await readOpenApi())))
  writeFileSync(join(directory, file), text);
