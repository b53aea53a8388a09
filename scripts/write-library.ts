import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { PROJECT_ROOT } from "../local-edge/paths.ts";

/**
 * Writes the built-in library as a module, for the Worker: it has no files, and a reader of YAML would be larger than what
 * is read. Run it after a change of library.yaml; a test compares both.
 *
 *   node scripts/bootstrap.mjs --no-install scripts/write-library.ts
 */
const yaml = readFileSync(join(PROJECT_ROOT, "src/client/intelligence/library.yaml"), "utf8");
const { version, node_types } = parse(yaml) as { version: number; node_types: Record<string, unknown> };
const types = Object.entries(node_types).map(([type, section]) => `${JSON.stringify(type)}:${JSON.stringify(section)}`);
const json = `{"version":${version},"node_types":{\n${types.join(",\n")}\n}}`;
const escaped = json.replaceAll("\\", "\\\\").replaceAll("`", "\\`").replaceAll("${", "\\${");
writeFileSync(
  join(PROJECT_ROOT, "src/core/intelligence/built-in-library.ts"),
  `/** src/client/intelligence/library.yaml as JSON, made by scripts/write-library.ts. */
export const BUILT_IN_LIBRARY_JSON = \`${escaped}\`;
`,
);
