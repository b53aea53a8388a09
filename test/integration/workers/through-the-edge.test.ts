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
  writeFileSync(join(tasks, ".t1.tmp"), JSON.stringify({ description: "look" }));
  renameSync(join(tasks, ".t1.tmp"), join(tasks, "t1.json"));
  const done = await first(
    edge.client().follow({ signals: ["Q_WORKER_TASK_COMPLETE"], after: 0 }),
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
      result: { seen: { task_id: "t1", worker: "review", description: "look" } },
    },
  });
});
