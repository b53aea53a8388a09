import { expect, test } from "vitest";
import { runEdge } from "../../harness/running-edge.ts";

test("an edge that is killed and comes back has every task, and its leases and delays run out on time", async () => {
  const edge = await runEdge();
  const post = async <Answer>(path: string, body: object): Promise<Answer> => {
    const response = await fetch(`${edge.url}/v1/default/queues/work${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${edge.token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(response.ok).toBe(true);
    return (await response.json()) as Answer;
  };
  interface Leased {
    readonly task_id: string;
    readonly attempt: number;
    readonly lease_id: string;
    readonly lease_expires_at: string;
  }
  const lease = async (recipient: string, more: object = {}) =>
    (await post<{ tasks: Leased[] }>("/lease", { recipient, ...more })).tasks;
  const task = (task_id: string, recipient: string, more: object = {}) => ({
    task_id,
    recipient,
    type: "X",
    payload: { name: task_id },
    ...more,
  });

  const queued = Array.from({ length: 50 }, (_, n) => task(`queued-${n}`, "tester", { priority: 1 + (n % 10) }));
  await post("/tasks", [...queued, task("held", "coder"), task("kept", "architect")]);
  const [held] = await lease("coder", { lease_ms: 4_000, worker: "gone" });
  const [kept] = await lease("architect", { lease_ms: 600_000 });
  const before = Date.now();
  await post("/tasks", task("delayed", "writer", { delay_ms: 5_000 }));

  await edge.process.killGroup();
  await runEdge({ stateDir: edge.stateDir, port: Number(new URL(edge.url).port) });

  // They wait from before it is time: it is the clock of the queue that wakes them, and nobody's question.
  const coming = lease("coder", { wait_ms: 30_000 });
  const due = lease("writer", { wait_ms: 30_000 });
  const { queues } = edge.client();
  const { by_recipient, by_priority } = await queues.status("work");
  expect(by_recipient).toMatchObject({ tester: { queued: 50 }, architect: { running: 1 } });
  expect(by_priority).toMatchObject({ 1: 5, 10: 5 });

  const [again] = await coming;
  expect(again).toMatchObject({ task_id: "held", attempt: 2 });
  const { history } = await queues.task("work", "held");
  expect(history.map(({ event }) => event)).toEqual(["queued", "leased", "lease_expired", "leased"]);
  const late = Date.parse(history[2]?.at ?? "") - Date.parse(held?.lease_expires_at ?? "");
  expect(late).toBeGreaterThanOrEqual(0);

  const [delayed] = await due;
  expect(delayed).toMatchObject({ task_id: "delayed", attempt: 1 });
  const leasedAt = Date.parse((await queues.task("work", "delayed")).history[1]?.at ?? "");
  expect(leasedAt).toBeGreaterThanOrEqual(before + 5_000);

  const rest = await lease("tester", { max: 100 });
  expect(rest.map(({ task_id }) => task_id).toSorted()).toEqual(queued.map(({ task_id }) => task_id).toSorted());
  // A lease that has not run out is still good.
  await post("/tasks/kept/complete", { lease_id: kept?.lease_id });
});
