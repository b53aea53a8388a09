import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eventually } from "../../harness/eventually.ts";
import { alive } from "../../harness/process-alive.ts";
import { runEdge } from "../../harness/running-edge.ts";

const runtimePid = (stateDir: string) => Number(readFileSync(join(stateDir, "runtime.pid"), "utf8"));

describe("an edge whose runtime does not answer", () => {
  it("is started again within ten seconds, with all that it had confirmed, and leaves a diagnosis", async () => {
    const edge = await runEdge();
    const { ids } = await edge.client().emit({ signal: "Q_KEPT", source: "test", facts: { n: 1 } });
    const stopped = runtimePid(edge.stateDir);
    const sinceMs = performance.now();
    process.kill(stopped, "SIGSTOP");
    const [line = ""] = await edge.process.line(/the runtime \(process \d+\) has not answered for \d+ s/);
    const { signals } = await eventually(() => edge.client().signals());
    // The one place where time is a promise: it is measured, and the machine that runs this may be slow.
    expect(performance.now() - sinceMs).toBeLessThan(20_000);
    expect(signals.map(({ id }) => id)).toEqual(ids);
    expect([alive(stopped), runtimePid(edge.stateDir) === stopped]).toEqual([false, false]);

    expect(line).toContain(`process ${stopped}`);
    const hangs = join(edge.stateDir, "hangs");
    const [file = ""] = readdirSync(hangs);
    expect(statSync(join(hangs, file)).mode & 0o777).toBe(0o600);
    const found = JSON.parse(readFileSync(join(hangs, file), "utf8"));
    expect(found).toMatchObject({
      pid: stopped,
      reason: "while it does nothing",
      state: expect.stringContaining("T (stopped)"),
      memory: { rss: expect.stringContaining("kB") },
      threads: expect.arrayContaining([expect.objectContaining({ state: expect.stringContaining("stopped") })]),
      sockets: { by_state: expect.objectContaining({ listen: expect.any(Number) }) },
      log: expect.any(Array),
    });
    expect(JSON.stringify(found)).not.toContain(edge.token);
    expect(await edge.process.stop()).toBe(0);
  });
});
