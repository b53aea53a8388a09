import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Queue of the tasks to which hosts react. */
export const QUEUE = "soak";

/** Runs at a time of each reaction and of the worker: what a kill can cut off. */
export const AT_ONCE = 2;
/** Attempts of what fails each time. */
const SPOILED_ATTEMPTS = 2;

/** Adds a line to `file` for each time that it is run. */
const note = (file: string) => `read -r given; echo x >> ${file}; echo '{}'`;
const fails = "read -r given; echo spoiled >&2; exit 3";

/** Each task of the queue for `recipient`. */
const taskReaction = (recipient: string, ran: string) => ({
  on: { queue: QUEUE, recipient },
  run: { command: note(join(ran, "tasks")) },
  concurrency: AT_ONCE,
  emits: { completed: "Q_SOAK_TASK_DONE" },
  pass_on: ["n"],
});

/**
 * Writes the settings of the soaked host: reactions to signals and to tasks, and two workers for dropped files, each
 * leaving a line for each time it is run; one reaction and one worker fail each time.
 */
export function writeHostConfig(directory: string, ran: string): string {
  const retry = { attempts: 100, backoff_ms: 50, backoff_max_ms: 500 };
  const reactions = {
    answer: {
      when: ["Q_SOAK_ASKED"],
      run: { command: note(join(ran, "reactions")) },
      retry,
      concurrency: AT_ONCE,
      emits: { completed: "Q_SOAK_ANSWERED" },
      pass_on: ["n"],
    },
    spoiled: {
      when: ["Q_SOAK_ASKED_SPOILED"],
      run: { command: fails },
      retry: { attempts: SPOILED_ATTEMPTS, backoff_ms: 50 },
      pass_on: ["n"],
    },
    task: taskReaction("host", ran),
  };
  const worker = { concurrency: AT_ONCE, retry_seconds: 0.1 };
  const run = [
    { ...worker, name: "soak", command: ["/bin/sh", "-c", note(join(ran, "dropped"))], attempts: 20 },
    // Its breaker would stop it for a minute after each few failures.
    { ...worker, name: "spoiled", command: ["/bin/sh", "-c", fails], attempts: SPOILED_ATTEMPTS, breaker_seconds: 0.1 },
  ];
  return write(join(directory, "agent.yaml"), { reactions, workers: { directory: "drop", run } });
}

/** Of the host that is set back and cloned: it reacts to tasks, which the edge remembers when its journal does not. */
export function writeNeighbourConfig(directory: string, ran: string): string {
  return write(join(directory, "neighbour.yaml"), { reactions: { task: taskReaction("neighbour", ran) } });
}

function write(path: string, config: object): string {
  writeFileSync(path, JSON.stringify(config));
  return path;
}
