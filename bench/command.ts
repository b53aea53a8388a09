import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { EdgeUnderTest } from "./edge-under-test.ts";
import { percentile, type Report, rounded } from "./figure.ts";

const ROUNDS = 15;
const root = join(import.meta.dirname, "..");
const execute = promisify(execFile);

/** How long a person waits for a call of the command: from its start to its end, with one request to the edge. */
export async function command(edge: EdgeUnderTest, report: Report): Promise<void> {
  const call = ["gaps", "--json"];
  const fromSources = `const { main } = await import(${JSON.stringify(join(root, "cli", "main.ts"))}); await main(["", "", ...${JSON.stringify(call)}]);`;
  const ways = {
    command: [join(root, "cli", "ganglion.mjs"), ...call],
    from_its_sources: ["--input-type=module", "-e", fromSources],
    node_alone: ["-e", "0"],
  };
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, GANGLION_URL: edge.url, GANGLION_TOKEN: edge.token };
  const millis: Record<keyof typeof ways, number[]> = { command: [], from_its_sources: [], node_alone: [] };
  // In turn, so that whatever else the machine does meets all of them alike. The first call of each may build and compile.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const way of ["command", "from_its_sources", "node_alone"] as const) {
      const started = performance.now();
      await execute(process.execPath, ways[way], { cwd: root, env });
      if (round > 0) millis[way].push(performance.now() - started);
    }
  }
  const middle = (way: keyof typeof ways) => rounded(percentile(millis[way], 0.5));
  report({
    bench: "command",
    figure: "call",
    value: middle("command"),
    unit: "ms",
    target: { at_most: 150 },
    fastest_ms: rounded(Math.min(...millis.command)),
    load: readFileSync("/proc/loadavg", "utf8").split(" ", 1)[0],
    rounds: ROUNDS,
    compared_with: { from_its_sources_ms: middle("from_its_sources"), node_alone_ms: middle("node_alone") },
  });
}
