import { work } from "../../../src/client/work/worker.ts";

/**
 * A worker as a process of its own, to be killed. Prints a line for each task that it begins, and ends as many as it was
 * allowed to by messages on its channel: so a test says how far it comes, and not the machine's speed.
 */
const { QUEUE_URL = "", QUEUE_TOKEN = "", QUEUE_RECIPIENT = "", WORKER_NAME = "" } = process.env;

let allowed = 0;
const held = new Set<() => void>();
const letGo = () => {
  for (const end of held) {
    if (allowed === 0) return;
    allowed--;
    held.delete(end);
    end();
  }
};
process.on("message", (more: number) => {
  allowed += more;
  letGo();
});
// The tests were killed.
process.once("disconnect", () => process.exit());

work(
  "work",
  QUEUE_RECIPIENT,
  ({ task_id, priority, attempt }, { signal }) => {
    process.stdout.write(`${JSON.stringify([task_id, priority, attempt])}\n`);
    return new Promise((resolve, reject) => {
      const end = () => resolve({ by: WORKER_NAME });
      held.add(end);
      signal.addEventListener("abort", () => {
        held.delete(end);
        reject(signal.reason);
      });
      letGo();
    });
  },
  { url: QUEUE_URL, token: QUEUE_TOKEN, worker: WORKER_NAME, concurrency: 16, leaseMs: 1_500 },
);
