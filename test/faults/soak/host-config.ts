import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Queue and recipient of the tasks. */
export const QUEUE = "soak";

/** Runs at a time of each reaction and of the worker: what a kill can cut off. */
export const AT_ONCE = 2;

/** Writes the settings of the soaked host: two reactions and a worker, each leaving a line for each time it is run. */
export function writeConfig(directory: string, ran: string): string {
  const path = join(directory, "agent.yaml");
  const note = (what: string) => `read -r given; echo x >> ${join(ran, what)}; echo '{}'`;
  const retry = { attempts: 100, backoff_ms: 50, backoff_max_ms: 500 };
  const config = {
    reactions: {
      answer: {
        when: ["Q_SOAK_ASKED"],
        run: { command: note("reactions") },
        retry,
        concurrency: AT_ONCE,
        emits: { completed: "Q_SOAK_ANSWERED" },
        pass_on: ["n"],
      },
      task: {
        on: { queue: QUEUE, recipient: "soak" },
        run: { command: note("tasks") },
        concurrency: AT_ONCE,
        emits: { completed: "Q_SOAK_TASK_DONE" },
        pass_on: ["n"],
      },
    },
    workers: {
      directory: "drop",
      run: [
        {
          name: "soak",
          command: ["/bin/sh", "-c", note("dropped")],
          concurrency: AT_ONCE,
          attempts: 20,
          retry_seconds: 0.1,
        },
      ],
    },
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}
