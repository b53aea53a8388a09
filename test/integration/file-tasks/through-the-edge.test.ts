import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { runAgent } from "../../harness/running-agent.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { first, untilFile } from "../../harness/until.ts";

test("a dropped file is done by the configured command, and the edge hears of it", async () => {
  const edge = await runEdge();
  const directory = temporaryDirectory();
  const config = join(directory, "agent.yaml");
  writeFileSync(
    config,
    `workers:
  directory: drop
  run:
    - name: review
      command: [/bin/sh, -c, 'read task; echo "{\\"seen\\": $task}"']
`,
  );
  const agent = await runAgent(edge, { sources: [], env: { GANGLION_CONFIG: config } });
  await agent.linked();
  const tasks = join(directory, "drop", "tasks", "review");
  await untilFile(join(directory, "drop", "heartbeats", "review.json"));
  mkdirSync(tasks, { recursive: true });
  const client = edge.client();
  const { ids } = await client.emit({ signal: "Q_ASKED", source: "test", facts: {} });
  const [cause = ""] = ids;
  writeFileSync(join(tasks, ".t1.tmp"), JSON.stringify({ description: "look", cause, depth: 1 }));
  renameSync(join(tasks, ".t1.tmp"), join(tasks, "t1.json"));
  const done = await first(
    client.follow({ signals: ["Q_WORKER_TASK_COMPLETE"], after: 0 }),
    () => true,
    "the worker's completion",
  );
  expect(done).toMatchObject({
    source: "worker/review@host-a",
    facts: {
      worker: "review",
      task_id: "t1",
      host: "host-a",
      attempts: 1,
      result: { seen: { task_id: "t1", worker: "review", description: "look", cause, depth: 1 } },
    },
  });
  expect(done).toMatchObject({ cause, depth: 1, trace: expect.stringMatching(/^00-/) });
  const { effects } = await client.lineage(cause);
  expect(effects.map(({ signal }) => signal)).toEqual(["Q_WORKER_TASK_STARTED", "Q_WORKER_TASK_COMPLETE"]);
});
