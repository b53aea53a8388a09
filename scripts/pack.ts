import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { PROJECT_ROOT } from "../local-edge/paths.ts";
import { packClient } from "./pack/client-package.ts";
import { packCommand } from "./pack/command-package.ts";

/**
 * `npm run pack [-- <directory>]`: the tarballs of the packages `ganglion` (agent and command line) and `@ganglion/client`, by default
 * into dist/. `npm run pack:host` makes the first one alone. Prints the path of each.
 */
const { positionals, values } = parseArgs({ allowPositionals: true, options: { host: { type: "boolean" } } });
const target = resolve(process.env.INIT_CWD ?? process.cwd(), positionals[0] ?? join(PROJECT_ROOT, "dist"));
const work = mkdtempSync(join(tmpdir(), "ganglion-pack-"));
try {
  console.log(await packCommand(work, target));
  if (values.host !== true) console.log(packClient(work, target));
} finally {
  rmSync(work, { recursive: true, force: true });
}
