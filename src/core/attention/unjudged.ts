import { CHECKS_QUEUE, checkWaits } from "../queue/accept.ts";
import type { QueueState } from "./ecosystem-state.ts";
import { type Finding, look } from "./finding.ts";

/** A check takes its time. A task that waits longer waits for a host that nobody has, or for one that is stuck. */
const UNJUDGED_LONG_MS = 5 * 60_000;

/** Tasks that were reported complete and have long waited to be judged. A person who is asked stands in attention anyway. */
export function unjudgedFindings(
  queue: QueueState,
  all: readonly QueueState[],
  ecosystem: string,
  nowMs: number,
): Finding[] {
  const long = (queue.unjudged ?? []).filter(
    ({ since, accept }) => accept.check !== undefined && nowMs - Date.parse(since) >= UNJUDGED_LONG_MS,
  );
  return long.map(({ accept: { check = "" }, task_id, tasks, since }): Finding => {
    const hosts = all.find((one) => one.queue === CHECKS_QUEUE)?.workers?.[check] ?? 0;
    return {
      id: `tasks_unjudged/${queue.queue}/${check}`,
      kind: "tasks_unjudged",
      severity: "warning",
      subject: `${check} in ${queue.queue}`,
      what: `tasks of the queue ${queue.queue} wait for the check ${check}`,
      why: checkWaits(check, hosts),
      since,
      consequence: `${tasks === 1 ? "1 task was" : `${tasks} tasks were`} reported complete and ${tasks === 1 ? "does" : "do"} not count as done`,
      next_step: `ganglion tasks show ${task_id} --queue ${queue.queue}`,
      action: look(
        "Show the task",
        ecosystem,
        `/queues/${encodeURIComponent(queue.queue)}/tasks/${encodeURIComponent(task_id)}`,
      ),
      chain: null,
      explainedBy: [`queue_paused/${CHECKS_QUEUE}`],
    };
  });
}
