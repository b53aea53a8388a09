import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { eventually } from "../../harness/eventually.ts";
import { pythonWith } from "../../harness/python.ts";
import { runAgent } from "../../harness/running-agent.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";

const USD = 0.01;
const MINUTES = 180_000;

/** A process in Python that makes calls until it is ended. */
function processOf({ url, token }: RunningEdge, kind: "threads" | "asyncio", stateDir: string) {
  const running = new RunningProcess(["test/integration/limits/host_process.py", kind], {
    command: pythonWith() ?? "python3",
    stdin: "pipe",
    env: {
      PYTHONPATH: join(PROJECT_ROOT, "python/src"),
      PYTHONDONTWRITEBYTECODE: "1",
      GANGLION_URL: url,
      GANGLION_TOKEN: token,
      GANGLION_STATE_DIR: stateDir,
      CALL_USD: String(USD),
    },
  });
  return {
    /** Ends it. @returns how many calls it has made */
    async end(): Promise<number> {
      running.child.stdin?.end();
      expect(await running.ended, running.lines.join("\n")).toBe(0);
      const [, count] = await running.line(/^calls (\d+)$/);
      return Number(count);
    },
  };
}

describe("processes in Python on a host whose agent holds shares of a limit", () => {
  it("have charged each call once, after the edge and the agent were killed in between", {
    timeout: MINUTES,
  }, async () => {
    const first = await runEdge();
    const { url, stateDir } = first;
    await first.client().limits.put("provider", { usd_per_day: 1_000 });
    const state = temporaryDirectory();
    const start = () => runAgent(first, { host: "host-0", stateDir: state, sources: [] });
    const agent = await start();
    const processes = (["threads", "asyncio", "threads", "asyncio"] as const).map((kind) =>
      processOf(first, kind, state),
    );
    const hostsOf = async (edge: RunningEdge) =>
      (await edge.client().limits.show("provider")).shares.map(({ host }) => host);
    await eventually(async () => expect(await hostsOf(first)).toEqual(["host-0"]));
    await first.process.killGroup();
    await agent.process.stop("SIGKILL");
    const again = await start();
    const second = await runEdge({ stateDir, port: Number(new URL(url).port) });
    await eventually(async () => expect(await hostsOf(second)).toEqual(["host-0"]));
    const counts = await Promise.all(processes.map((one) => one.end()));
    const calls = counts.reduce((sum, count) => sum + count, 0);
    expect(Math.min(...counts)).toBeGreaterThan(0);
    const { limits } = second.client();
    await eventually(async () => expect((await limits.show("provider")).spent_usd).toBeCloseTo(calls * USD, 6));
    console.log(`${calls} calls of 4 processes in Python, charged $${(await limits.show("provider")).spent_usd}`);
    await again.process.stop();
    expect((await limits.show("provider")).spent_usd).toBeCloseTo(calls * USD, 6);
  });

  it("ask the edge where no agent runs, and where the agent belongs to another edge", {
    timeout: MINUTES,
  }, async () => {
    const [edge, other] = [await runEdge(), await runEdge()];
    const { limits } = edge.client();
    await limits.put("provider", { usd_per_day: 1_000 });
    const state = temporaryDirectory();
    const agent = await runAgent(other, { host: "host-0", stateDir: state, sources: [] });
    const processes = [processOf(edge, "threads", temporaryDirectory()), processOf(edge, "asyncio", state)];
    await eventually(async () => expect((await limits.show("provider")).spent_usd).toBeGreaterThan(0.1));
    const counts = await Promise.all(processes.map((one) => one.end()));
    expect(Math.min(...counts)).toBeGreaterThan(0);
    const { spent_usd, shares } = await limits.show("provider");
    expect(shares).toEqual([]);
    expect(spent_usd).toBeCloseTo((Number(counts[0]) + Number(counts[1])) * USD, 6);
    await agent.process.stop();
  });
});
