import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";

const FOLDERS = ["src", "local-agent", "local-edge", "cli", "dashboard", "policies", "examples", "scripts", "bench"];
/** Where people and machines keep what is their own. */
const HOMES = /(?<![\w.])\/(?:home|Users|root|Volumes|mnt|media)\/\w|\b[A-Z]:\\\\?(?:Users|\w+\\)/;

it("no path of one machine is in the code", () => {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(join(PROJECT_ROOT, folder), { recursive: true, withFileTypes: true })
      // Benches install clients of other systems beside themselves.
      .filter(
        (entry) =>
          entry.isFile() &&
          !entry.parentPath.includes("node_modules") &&
          /\.(ts|tsx|css|mjs|py|yaml|json|toml)$/.test(entry.name),
      )
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  expect(files.length).toBeGreaterThan(300);
  const lines = files.flatMap((file) => readFileSync(file, "utf8").split("\n"));
  expect(lines.filter((line) => HOMES.test(line))).toEqual([]);
});
