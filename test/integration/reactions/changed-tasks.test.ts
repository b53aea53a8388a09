import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Agent } from "../../../local-agent/app/agent.ts";
import { ReactionsSettings } from "../../../local-agent/reactions/settings.ts";
import { atEnd, temporaryDirectory } from "../../harness/cleanup.ts";
import { eventually } from "../../harness/eventually.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { silent } from "../../unit/store/temporary-state.ts";
import { agentOptions } from "../app/agent-options.ts";
import { freeEndpoints } from "../bus/bus-parts.ts";

test("a task that was begun finishes by its old settings, and those that wait are done by the new ones, each once", async () => {
  const edge = await runEdge();
  const directory = temporaryDirectory();
  const reactions = (by: string, concurrency: number) => {
    const command = `echo ${by} >> runs; touch begun; until test -e go; do sleep 0.01; done; echo '{"by": "${by}"}'`;
    return ReactionsSettings.parse({ it: { on: { queue: "work", recipient: "it" }, run: { command }, concurrency } });
  };
  const options = {
    ...agentOptions(directory, edge.url),
    ...(await freeEndpoints()),
    token: () => edge.token,
    sources: [],
    logger: silent,
    configFile: join(directory, "agent.yaml"),
    reactions: reactions("old", 1),
  };
  const agent = new Agent(options);
  atEnd(() => agent.stop());
  await agent.start();
  const { queues } = edge.client();
  const ids = ["t1", "t2", "t3"];
  await queues.put(
    "work",
    ids.map((task_id) => ({ task_id, recipient: "it", type: "DO", payload: {} })),
  );
  await eventually(() => expect(existsSync(join(directory, "begun"))).toBe(true));
  expect(await agent.reload({ ...options, reactions: reactions("new", 2) })).toMatchObject({ applied: ["reactions"] });
  // As many as may run do: the new ones wait until the old one has finished.
  expect(readFileSync(join(directory, "runs"), "utf8")).toBe("old\n");
  writeFileSync(join(directory, "go"), "");
  for (const id of ids) await eventually(async () => expect((await queues.task("work", id)).status).toBe("complete"));
  expect(readFileSync(join(directory, "runs"), "utf8").split("\n").sort()).toEqual(["", "new", "new", "old"]);
});
