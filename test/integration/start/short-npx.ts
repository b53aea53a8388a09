import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";

/**
 * A directory with an `npx` that starts the project's own commands, as the real one does, which takes a second longer
 * for each. The README's examples are run by the real one.
 */
export function shortNpx(): string {
  const { bin } = JSON.parse(readFileSync(join(PROJECT_ROOT, "package.json"), "utf8")) as {
    bin: Record<string, string>;
  };
  const programs = { ...bin, wrangler: "node_modules/wrangler/bin/wrangler.js" };
  const cases = Object.entries(programs).map(
    ([name, file]) => `${name}) exec node "${join(PROJECT_ROOT, file)}" "$@";;`,
  );
  const directory = temporaryDirectory();
  writeFileSync(
    join(directory, "npx"),
    `#!/bin/sh\nname=$1; shift\ncase $name in\n${cases.join("\n")}\nesac\necho "no command $name" >&2\nexit 127\n`,
    { mode: 0o755 },
  );
  return directory;
}
