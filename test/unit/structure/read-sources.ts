import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { readSource, type SourceFile } from "./source-file.ts";

const TOP_FOLDERS = ["bench", "cli", "dashboard", "examples", "local-agent", "local-edge", "scripts", "src", "test"];

/** Every TypeScript and JavaScript file of the repository. */
export function readSources(): SourceFile[] {
  return TOP_FOLDERS.flatMap((folder) =>
    readdirSync(join(PROJECT_ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(ts|tsx|mjs)$/.test(name) && !name.includes("node_modules/"))
      .map((name) => `${folder}/${name}`),
  ).map((path) => readSource(path, readFileSync(join(PROJECT_ROOT, path), "utf8")));
}
