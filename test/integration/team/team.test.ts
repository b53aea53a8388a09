import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { askAgent } from "../../../local-agent/commands/ask-agent.ts";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import type { TaskView } from "../../../src/core/queue/api.ts";
import type { AgentState } from "../../../src/core/supervisor/api.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { runAgent } from "../../harness/running-agent.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { first, PATIENCE_MS, within } from "../../harness/until.ts";

const EXAMPLE = join(PROJECT_ROOT, "examples/team");
const FEATURE = { flow: "f-1", name: "slug", cases: [["Hello World", "hello-world"]] };
const BUG = { flow: "b-1", name: "slug", input: " Déjà vu ", expected: "deja-vu" };

let edge: RunningEdge;
let stateDir: string;
let workspace: string;

/** The team of the example, whose coder takes from a file how long it thinks: that is when it starts. */
function configuration(): string {
  const { agents, ...rest } = parse(readFileSync(join(EXAMPLE, "ganglion-agent.yaml"), "utf8"));
  agents.coder.command = ["sh", "-c", 'TEAM_PACE_MS=$(cat "$TEAM_DIR/pace") exec node agents/coder.ts'];
  for (const agent of Object.values(agents) as Record<string, unknown>[]) agent.directory = EXAMPLE;
  const path = join(temporaryDirectory(), "ganglion-agent.yaml");
  writeFileSync(path, stringify({ ...rest, agents }));
  return path;
}
const letCoderThink = (ms: number) => writeFileSync(join(workspace, "pace"), String(ms));

beforeAll(async () => {
  edge = await runEdge();
  workspace = temporaryDirectory();
  letCoderThink(0);
  const agent = await runAgent(edge, {
    host: "host-a",
    env: {
      GANGLION_CONFIG: configuration(),
      GANGLION_SOURCES: undefined,
      TEAM_DIR: workspace,
    },
  });
  stateDir = agent.stateDir;
  await agent.linked();
});

/** Nothing tells a client of the end of somebody's task: it is looked at. */
async function looked<T>(look: () => Promise<T | undefined>, what: string): Promise<T> {
  const search = async () => {
    for (;;) {
      const found = await look().catch(() => undefined);
      if (found !== undefined) return found;
      await pause(50);
    }
  };
  return within(search(), what);
}

const finished = (id: string): Promise<TaskView> =>
  looked(async () => {
    const task = await edge.client().queues.task("team", id);
    return ["complete", "failed"].includes(task.status) ? task : undefined;
  }, `task ${id} to be finished`);

const agents = async (): Promise<AgentState[]> =>
  ((await askAgent(stateDir, "supervisor.status", {}, PATIENCE_MS)) as { agents: AgentState[] }).agents;

describe("a team of four", () => {
  it("takes a feature from its specification over its implementation to its verification", async () => {
    const { queues } = edge.client();
    await queues.put("team", [{ recipient: "architect", type: "TASK_DELEGATE", payload: FEATURE, task_id: "feature" }]);
    const last = await finished("feature.coder.tester.architect");
    expect(last).toMatchObject({
      type: "STATUS_UPDATE",
      sender: "tester",
      status: "complete",
      payload: { flow: "f-1", name: "slug", version: 1, state: "verified", failures: [] },
    });
    for (const [id, type, recipient] of [
      ["feature", "TASK_DELEGATE", "architect"],
      ["feature.coder", "SPEC_CREATED", "coder"],
      ["feature.coder.tester", "IMPLEMENTATION_COMPLETE", "tester"],
    ] as const) {
      expect(await finished(id)).toMatchObject({ type, recipient, status: "complete", attempt: 1 });
    }
    expect(readFileSync(join(workspace, "code", "slug.mjs"), "utf8")).toMatch(/^\/\/ Version 1\n/);
  });

  it("has a bug triaged, specified and fixed, once, though an agent is killed in the middle of its task", async () => {
    const { queues } = edge.client();
    // The first coder of this flow would think for ever; the one that comes after it does not.
    const names = ["coder"];
    await askAgent(stateDir, "supervisor.stop", { names }, PATIENCE_MS);
    letCoderThink(3_600_000);
    await askAgent(stateDir, "supervisor.start", { names }, PATIENCE_MS);
    await queues.put("team", [{ recipient: "triager", type: "BUG_REPORT", payload: BUG, task_id: "bug" }]);
    const coder = await looked(
      async () => (await agents()).find(({ task }) => task === "bug.architect.coder"),
      "the coder to be at its task",
    );
    letCoderThink(0);
    process.kill(coder.pid ?? 0, "SIGKILL");
    const crashed = await first(
      edge.client().follow({ after: 0, signals: ["Q_PROCESS_CRASHED"] }),
      ({ facts }) => facts.agent === "coder",
      "word of the crash",
    );
    expect(crashed.facts).toMatchObject({ host: "host-a", task: "bug.architect.coder", exit_signal: "SIGKILL" });
    const restarted = await first(
      edge.client().follow({ after: 0, signals: ["Q_PROCESS_RESTARTED"] }),
      ({ facts }) => facts.agent === "coder",
      "word of the restart",
    );
    expect(restarted.facts.down_ms).toBeGreaterThanOrEqual(0);

    expect(await finished("bug")).toMatchObject({ result: { triage: "confirmed", actual: "-déjà-vu-" } });
    expect(await finished("bug.architect.coder")).toMatchObject({ status: "complete", attempt: 2 });
    expect(await finished("bug.architect.coder.tester.triager")).toMatchObject({
      type: "STATUS_UPDATE",
      recipient: "triager",
      status: "complete",
      payload: { flow: "b-1", version: 2, state: "fixed", failures: [] },
    });
    // Each step was done once, by whom it was for, and none besides those of the two flows.
    const { by_recipient } = await queues.status("team");
    expect(Object.fromEntries(Object.entries(by_recipient).map(([name, of]) => [name, of.complete]))).toEqual({
      architect: 3,
      coder: 2,
      tester: 3,
      triager: 2,
    });
    expect(await (await agents()).map(({ name, state, restarts }) => [name, state, restarts])).toEqual([
      ["architect", "up", 0],
      ["coder", "up", 1],
      ["tester", "up", 0],
      ["triager", "up", 0],
    ]);
  });

  it("does not take for a bug what is none", async () => {
    const { queues } = edge.client();
    const payload = { flow: "b-2", name: "slug", input: "Hello World", expected: "hello-world" };
    await queues.put("team", [{ recipient: "triager", type: "BUG_REPORT", payload, task_id: "no-bug" }]);
    expect(await finished("no-bug")).toMatchObject({ result: { triage: "not reproduced", actual: "hello-world" } });
  });
});
