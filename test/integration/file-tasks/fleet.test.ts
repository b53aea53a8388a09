import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { eventually } from "../../harness/eventually.ts";
import { type RunningAgent, runAgent } from "../../harness/running-agent.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";

/** A host with a drop tree of its own, whose tasks any host may do. */
async function runHost(edge: RunningEdge, host: string, shared: string, script: string) {
  const directory = temporaryDirectory();
  const config = join(directory, "agent.yaml");
  writeFileSync(
    config,
    JSON.stringify({
      workers: {
        directory: "drop",
        run: [
          {
            name: "review",
            scope: "fleet",
            concurrency: 2,
            attempts: 3,
            command: ["/bin/sh", "-c", script],
            environment: { HOST: host, SHARED: shared },
          },
        ],
      },
    }),
  );
  const agent: RunningAgent = await runAgent(edge, { host, sources: [], env: { GANGLION_CONFIG: config } });
  await agent.linked();
  const drop = join(directory, "drop");
  return {
    agent,
    drop: (id: string) => {
      const tasks = join(drop, "tasks", "review");
      mkdirSync(tasks, { recursive: true });
      writeFileSync(join(tasks, `.${id}.tmp`), JSON.stringify({ description: id }));
      renameSync(join(tasks, `.${id}.tmp`), join(tasks, `${id}.json`));
    },
    results: () => readdirSync(join(drop, "results", "review")).filter((name) => !name.startsWith(".")),
    read: (...parts: string[]) => JSON.parse(readFileSync(join(drop, ...parts), "utf8")),
    list: (...parts: string[]) => readdirSync(join(drop, ...parts)),
  };
}

test.concurrent("tasks dropped on one host are done by two, each once, and the results lie where they were dropped", async () => {
  const edge = await runEdge();
  const shared = temporaryDirectory();
  // Nobody ends a task before both have begun one.
  const both = "until [ -e $SHARED/a ] && [ -e $SHARED/b ]; do sleep 0.05; done";
  const script = `echo "$GANGLION_TASK_ID $HOST" >> $SHARED/ran; touch $SHARED/$HOST; ${both}; echo "\\"$HOST\\""`;
  const [one, two] = await Promise.all([runHost(edge, "a", shared, script), runHost(edge, "b", shared, script)]);
  for (let n = 0; n < 24; n++) one.drop(`t${n}`);
  await eventually(() => expect(one.results()).toHaveLength(24));
  expect(two.results()).toEqual([]);
  const ran = readFileSync(join(shared, "ran"), "utf8").trim().split("\n");
  expect(new Set(ran.map((line) => line.split(" ")[0])).size).toBe(24);
  expect(ran).toHaveLength(24);
  expect(new Set(ran.map((line) => line.split(" ")[1]))).toEqual(new Set(["a", "b"]));
  const hosts = one.results().map((name) => one.read("results", "review", name).host as string);
  expect(hosts.sort()).toEqual(ran.map((line) => line.split(" ")[1]).sort());
  await eventually(() => expect(one.list("tasks", "review", ".claimed")).toEqual([]));
});

test.concurrent("a host that dies in the middle of a task leaves it to another, and the one that fails for good comes back", async () => {
  const edge = await runEdge();
  const shared = temporaryDirectory();
  const script =
    'echo "$HOST" >> $SHARED/$GANGLION_TASK_ID; test $GANGLION_TASK_ID = bad && exit 4; test $HOST = b && sleep 600; echo "\\"$HOST\\""';
  const two = await runHost(edge, "b", shared, script);
  two.drop("t1");
  await eventually(() => expect(readdirSync(shared)).toEqual(["t1"]));
  const one = await runHost(edge, "a", shared, script);
  await two.agent.process.killGroup();
  one.drop("bad");
  await eventually(() => expect(one.list("dlq", "review")).toContain("bad.error.json"));
  expect(one.read("dlq", "review", "bad.error.json").history).toHaveLength(3);
  // It was dropped on the host that died: its result comes there when an agent is there again.
  await eventually(() => expect(readFileSync(join(shared, "t1"), "utf8")).toBe("b\na\n"));
});
