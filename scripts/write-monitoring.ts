import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "../local-edge/paths.ts";
import { withFamilies } from "./monitoring/families-table.ts";
import { MONITORING_FILES } from "./monitoring/files.ts";

/**
 * Writes the dashboards for Grafana and the rules for Prometheus in deploy/, and the table of families in docs/metrics.md. A
 * test compares what is there.
 *
 *   node scripts/bootstrap.mjs --no-install scripts/write-monitoring.ts
 */
for (const [path, text] of Object.entries(MONITORING_FILES)) writeFileSync(join(PROJECT_ROOT, path), text);
const page = join(PROJECT_ROOT, "docs/metrics.md");
writeFileSync(page, withFamilies(readFileSync(page, "utf8")));
