import { ask, client, join, NAME, QUEUE } from "./shared.ts";

interface Topic {
  readonly steps: number;
  /** The scout that has this task first dies after so many steps. */
  readonly dies_after?: number;
}

interface Progress {
  readonly by: string;
  readonly found: readonly string[];
}

/** Finds out about a topic, step by step. What it has found is noted, so that a successor does not pay for it again. */
join("scout", async ({ task_id, attempt, payload, notes }) => {
  const { steps, dies_after } = payload as Topic;
  const key = `task/${task_id}/progress`;
  const known = notes?.find((note) => note.key === key)?.value as Progress | undefined;
  const found = [...(known?.found ?? [])];
  while (found.length < steps) {
    found.push(await ask(task_id, found.length));
    await client.notes.put(key, { by: NAME, found });
    // As a machine without power does: nobody is told, and the lease ends by itself.
    if (attempt === 1 && found.length === dies_after) process.kill(process.pid, "SIGKILL");
  }
  const next = `${task_id}.page`;
  await client.notes.put(`task/${next}/findings`, { by: NAME, found });
  await client.queues.put(QUEUE, [{ task_id: next, recipient: "writer", type: "WRITE", payload: { topic: task_id } }]);
  return { by: NAME, resumed_from: known === undefined ? null : { by: known.by, steps: known.found.length } };
});
