import { expect, test } from "vitest";
import { runEdge } from "../../harness/running-edge.ts";
import { answerOf, connect } from "./session-client.ts";

interface Leased {
  readonly tasks: readonly { readonly task_id: string; readonly lease_id: string }[];
}

const TASKS = ["t-1", "t-2", "t-3", "t-4", "t-5"] as const;

test("a session that loses the edge at any of its steps goes on with the step, and no task is lost or done twice", async () => {
  let edge = await runEdge();
  const port = Number(new URL(edge.url).port);
  const url = `${edge.url}/v1/default/mcp`;
  const payload = "do it";
  const first = await connect(url, edge.token);
  for (const task_id of TASKS)
    await answerOf(first, "enqueue_task", { queue: "work", recipient: "me", type: "X", payload, task_id });

  for (const [kill] of TASKS.entries()) {
    let place = 0;
    /** One step of the session. At one of the steps the edge is killed while it works on it, and the step is made again. */
    const step = async <Answer>(make: () => Promise<Answer>): Promise<Answer> => {
      if (place++ !== kill) return make();
      const lost = make().catch(() => undefined);
      await edge.process.killGroup();
      await lost;
      edge = await runEdge({ stateDir: edge.stateDir, port });
      return make();
    };
    const client = await step(() => connect(url, edge.token));
    await step(() => answerOf(client, "what_needs_attention", {}));
    let takes = 0;
    const { tasks } = await step(() =>
      // The lease whose answer was lost ends soon; the others outlast a slow start.
      answerOf<Leased>(client, "take_task", {
        queue: "work",
        recipient: "me",
        wait_ms: 25_000,
        lease_ms: kill === 2 && takes++ === 0 ? 2_000 : 600_000,
      }),
    );
    const { task_id = "", lease_id = "" } = tasks[0] ?? {};
    const lease = { queue: "work", task_id, lease_id };
    await step(() => answerOf(client, "extend_lease", { ...lease, progress: "half", source: `session-${kill}` }));
    await step(() => answerOf(client, "finish_task", { ...lease, result: { by: kill }, evidence: [`commit ${kill}`] }));
    await client.close();
  }

  const client = await connect(url, edge.token);
  const ended = await Promise.all(
    TASKS.map((task_id) =>
      answerOf<{ status: string; result: { by: number }; history: { event: string }[] }>(client, "show_task", {
        queue: "work",
        task_id,
      }),
    ),
  );
  expect(ended.map(({ status }) => status)).toEqual(TASKS.map(() => "complete"));
  expect(ended.map(({ result }) => result.by).sort()).toEqual([0, 1, 2, 3, 4]);
  for (const { history } of ended) expect(history.filter(({ event }) => event === "complete")).toHaveLength(1);
  expect(await answerOf(client, "take_task", { queue: "work", recipient: "me" })).toEqual({ tasks: [] });
});
