import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Client } from "../../../src/client/client.ts";
import { type TaskHandler, work } from "../../../src/client/work/worker.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { eventually } from "../../harness/eventually.ts";
import { alive } from "../../harness/process-alive.ts";
import { runAgent } from "../../harness/running-agent.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { untilFile } from "../../harness/until.ts";

let edge: RunningEdge;
beforeAll(async () => {
  edge = await runEdge();
});

/** A host whose settings have these checks. */
function host(ecosystem: string, checks: Record<string, unknown>, stateDir = temporaryDirectory()) {
  const config = join(stateDir, "ganglion-agent.yaml");
  writeFileSync(config, JSON.stringify({ checks }));
  const env = { GANGLION_CONFIG: config, GANGLION_ECOSYSTEM: ecosystem, SECRET_OF_THE_HOST: "s3cret" };
  return runAgent(edge, { host: "gpu-01", stateDir, sources: [], env });
}

/** A worker reports a task complete, whether it is or not. */
async function report(ecosystem: string, id: string, check: string, result: unknown = "done"): Promise<void> {
  const client = edge.client(ecosystem);
  await client.queues.put("work", [
    { recipient: id, type: "BUILD", payload: { n: 7 }, task_id: id, accept: { check } },
  ]);
  const handler: TaskHandler = (_task, { evidence }) => {
    evidence({ by: id });
    return result;
  };
  const worker = work("work", id, handler, { url: edge.url, token: edge.token, ecosystem });
  await eventually(async () => expect((await client.queues.task("work", id)).attempt).toBe(1));
  await worker.stop();
}
const task = (client: Client, id: string) => client.queues.task("work", id);
const judged = (client: Client, id: string) =>
  eventually(async () => {
    const view = await task(client, id);
    expect(view.verdict).toBeDefined();
    return view;
  });

describe("a host with checks in its settings", () => {
  it("judges tasks by what its commands end with, and brings what they printed", async () => {
    const client = edge.client("judging");
    await host("judging", {
      passes: { command: ["sh", "-c", "echo 12 passed"] },
      fails: { command: ["sh", "-c", "echo looked; echo 2 tests failed >&2; exit 3"] },
      hangs: { command: ["sh", "-c", "sleep 600 & sleep 600"], timeout_seconds: 0.5, grace_ms: 100 },
      missing: { command: ["no-such-program"] },
    });
    for (const name of ["passes", "fails", "hangs", "missing"])
      await report("judging", `t-${name}`, name, { by: "worker" });
    expect(await judged(client, "t-passes")).toMatchObject({
      status: "complete",
      result: { by: "worker" },
      verdict: { accepted: true, host: "gpu-01", exit_code: 0, output: "12 passed\n" },
    });
    const reasons = {
      fails: "ended with status 3",
      hangs: "did not end within 500 ms",
      missing: "there is no program",
    };
    for (const [name, reason] of Object.entries(reasons)) {
      const { status, verdict } = await judged(client, `t-${name}`);
      expect([status, verdict?.accepted, verdict?.reason]).toEqual(["queued", false, expect.stringContaining(reason)]);
    }
  });

  it("gives a command the task on its standard input, and nothing of the agent's environment but what it needs", async () => {
    const client = edge.client("clean");
    const out = temporaryDirectory();
    await host("clean", {
      looks: { command: ["sh", "-c", `cat > ${out}/input; env > ${out}/env`], env: { OF_CHECK: "1" } },
    });
    await report("clean", "t1", "looks", { answer: 42 });
    await judged(client, "t1");
    const input: unknown = JSON.parse(readFileSync(`${out}/input`, "utf8"));
    expect(input).toMatchObject({
      check: "looks",
      task: { queue: "work", task_id: "t1", attempt: 1, payload: { n: 7 } },
      result: { answer: 42 },
      evidence: { by: "t1" },
    });
    const env = Object.fromEntries(
      readFileSync(`${out}/env`, "utf8")
        .split("\n")
        .map((line) => line.split("=") as [string, string]),
    );
    expect(env).toMatchObject({
      GANGLION_TASK_ID: "t1",
      GANGLION_QUEUE: "work",
      GANGLION_CHECK: "looks",
      OF_CHECK: "1",
    });
    expect(JSON.stringify(env)).not.toContain("s3cret");
    expect(Object.keys(env).filter((name) => /TOKEN|SECRET|GANGLION_(URL|CONFIG|STATE)/.test(name))).toEqual([]);
  });

  it("killed in the middle of a check leaves the task waiting, and its next start ends what was left and runs the check again", async () => {
    const client = edge.client("killed");
    const [out, stateDir] = [temporaryDirectory(), temporaryDirectory()];
    // The first run never ends by itself, the second one accepts.
    const script = `echo $$ > ${out}/pid.$$; if [ -e ${out}/first ]; then exit 0; fi; touch ${out}/first; sleep 600`;
    const first = await host("killed", { slow: { command: ["sh", "-c", script] } }, stateDir);
    await report("killed", "t1", "slow");
    await untilFile(`${out}/first`);
    const [left = ""] = readdirSync(out).filter((name) => name.startsWith("pid."));
    const pid = Number(left.slice(4));
    await first.process.stop("SIGKILL");
    expect((await task(client, "t1")).status).toBe("verifying");
    expect(alive(pid)).toBe(true);
    await host("killed", { slow: { command: ["sh", "-c", script] } }, stateDir);
    expect(await judged(client, "t1")).toMatchObject({ status: "complete", verdict: { accepted: true, exit_code: 0 } });
    expect(alive(pid)).toBe(false);
    const { history } = await task(client, "t1");
    // One attempt of the worker: that a host was lost is no fault of it.
    expect(history.map(({ event }) => event)).toEqual(["queued", "leased", "verifying", "accepted", "complete"]);
  });

  it("runs nothing that a task names beside the name of a check", async () => {
    const client = edge.client("injected");
    const out = temporaryDirectory();
    mkdirSync(`${out}/here`);
    await host("injected", { fine: { command: ["true"], cwd: `${out}/here` } });
    await report("injected", "t1", "fine", { command: `touch ${out}/owned`, $: `$(touch ${out}/owned)` });
    await judged(client, "t1");
    expect(readdirSync(out)).toEqual(["here"]);
    const accept = { check: "fine; touch owned" };
    await expect(client.queues.put("work", [{ recipient: "x", type: "T", payload: 1, accept }])).rejects.toThrow(
      /invalid/,
    );
  });
});
