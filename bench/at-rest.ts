import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { PROJECT_ROOT } from "../local-edge/paths.ts";
import type { EdgeUnderTest } from "./edge-under-test.ts";
import { type Report, rounded } from "./figure.ts";
import { descendants, proportionalMegabytes, residentMegabytes } from "./process-memory.ts";

const SETTLED_MS = 10_000;

/** What `npm start` takes while nothing happens: edge, runtime and agent, without npm itself. */
export async function atRest(_edge: EdgeUnderTest, report: Report): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "ganglion-bench-"));
  const started = spawn("sh", ["scripts/run.sh", "scripts/start.ts"], {
    cwd: PROJECT_ROOT,
    env: { ...process.env, GANGLION_PORT: "0", GANGLION_STATE_DIR: directory, GANGLION_SOURCES: "sampler,intents" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = once(started, "exit");
  try {
    await new Promise<void>((resolve) => {
      createInterface({ input: started.stdout }).on("line", (line) => line.startsWith("ready ") && resolve());
    });
    await pause(SETTLED_MS);
    const pid = started.pid ?? 0;
    const [edge, ...others] = [pid, ...descendants(pid)].map(residentMegabytes).map((mb) => rounded(mb));
    report({
      bench: "at-rest",
      figure: "npm_start",
      value: rounded([pid, ...descendants(pid)].reduce((sum, each) => sum + proportionalMegabytes(each), 0)),
      unit: "MB, what processes share counted once",
      target: { at_most: 250 },
      processes: others.length + 1,
      compared_with: Object.fromEntries(
        [edge ?? 0, ...others].map((mb, place) => [`process_${place + 1}_resident`, mb]),
      ),
    });
  } finally {
    started.kill("SIGTERM");
    await gone;
    rmSync(directory, { recursive: true, force: true });
  }
}
