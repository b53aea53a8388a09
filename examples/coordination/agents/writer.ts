import { addToIndex } from "../tree.ts";
import { client, join, NAME, TREE } from "./shared.ts";

interface Findings {
  readonly by: string;
  readonly found: readonly string[];
}

/** Writes what a scout has found into the tree that all writers share: one at a time, under a lock that is renewed. */
join("writer", async ({ task_id, payload, notes }) => {
  const { topic } = payload as { topic: string };
  const findings = notes?.find(({ key }) => key.endsWith("/findings"))?.value as Findings | undefined;
  if (findings === undefined) throw new Error("the task came without the notes of its scout");
  const lock = { owner: NAME, ttlMs: 10_000, waitMs: 60_000, task: task_id };
  const fence = await client.locks.withLock(`tree:${TREE}/**`, lock, async (held) => {
    const line = `- ${topic}: ${findings.found.length} findings of ${findings.by}`;
    await addToIndex(TREE, line, { owner: NAME, task: task_id, fence: held.fence });
    return held.fence;
  });
  return { by: NAME, findings_of: findings.by, fence };
});
