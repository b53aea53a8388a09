import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { eventually } from "../../harness/eventually.ts";
import { runAgent } from "../../harness/running-agent.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";

const USD = 0.01;
const MINUTES = 180_000;

describe("ten processes of two hosts whose agents hold shares of one limit", () => {
  it("have charged each call once, after the edge and an agent were killed in between", {
    timeout: MINUTES,
  }, async () => {
    const first = await runEdge();
    const { url, token, stateDir } = first;
    const limits = first.client().limits;
    await limits.put("provider", { usd_per_day: 1_000 });
    const states = [temporaryDirectory(), temporaryDirectory()] as const;
    const agentOf = (at: 0 | 1) => runAgent({ url, token }, { host: `host-${at}`, stateDir: states[at], sources: [] });
    const agents = [await agentOf(0), await agentOf(1)] as const;
    const processes = Array.from({ length: 10 }, (_, place) => {
      const env = { GANGLION_URL: url, GANGLION_TOKEN: token, CALL_USD: String(USD) };
      const GANGLION_STATE_DIR = states[place % 2 === 0 ? 0 : 1];
      return new RunningProcess(["test/integration/limits/host-process.ts"], { env: { ...env, GANGLION_STATE_DIR } });
    });
    // Both hosts hold shares of it, by their names.
    await eventually(async () =>
      expect((await limits.show("provider")).shares.map(({ host }) => host)).toEqual(["host-0", "host-1"]),
    );
    await first.process.killGroup();
    await agents[0].process.stop("SIGKILL");
    const again = await agentOf(0);
    const second = await runEdge({ stateDir, port: Number(new URL(url).port) });
    await eventually(async () =>
      expect((await second.client().limits.show("provider")).shares.map(({ host }) => host)).toEqual([
        "host-0",
        "host-1",
      ]),
    );
    for (const { child } of processes) child.send("end");
    const ends = await Promise.all(processes.map(({ ended }) => ended));
    expect(ends, processes.map(({ lines }) => lines.join("\n")).join("\n")).toEqual(ends.map(() => 0));
    const counts = await Promise.all(processes.map((one) => one.line(/^calls (\d+)$/)));
    const calls = counts.reduce((sum, [, count]) => sum + Number(count), 0);
    expect(calls).toBeGreaterThan(10);
    // Idle blocks go back, and what was used while the edge was away is told.
    const { limits: settled } = second.client();
    await eventually(async () => expect((await settled.show("provider")).spent_usd).toBeCloseTo(calls * USD, 6));
    console.log(`${calls} calls of 10 processes, charged $${(await settled.show("provider")).spent_usd}`);
    await again.process.stop();
    await agents[1].process.stop();
    expect((await settled.show("provider")).spent_usd).toBeCloseTo(calls * USD, 6);
  });
});
