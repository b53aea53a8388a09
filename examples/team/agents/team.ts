import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createClient } from "../../../src/client/client.ts";
import { openHeartbeat } from "../../../src/client/heartbeat.ts";
import { TaskRefused, work } from "../../../src/client/work/worker.ts";
import type { LeasedTask } from "../../../src/core/queue/api.ts";

const {
  GANGLION_URL: url = "http://127.0.0.1:8787",
  GANGLION_TOKEN: token = "",
  GANGLION_ECOSYSTEM: ecosystem = "default",
  TEAM_QUEUE: queue = "team",
  TEAM_DIR: directory = join(import.meta.dirname, "..", "workspace"),
  TEAM_PACE_MS: paceMs = "0",
} = process.env;

/** What a task of the team is about. `flow` goes along from the first task to the last. */
export interface Work {
  readonly flow: string;
  readonly name: string;
  readonly kind: "feature" | "fix";
  readonly version: number;
}

export interface Spec {
  readonly name: string;
  readonly version: number;
  readonly steps: readonly string[];
  readonly cases: readonly (readonly [input: string, output: string])[];
}

export interface Turn {
  /** Hands work on. Done again after a crash, it is still the same task: it is named after the one that it follows. */
  delegate(recipient: string, type: string, payload: object): Promise<void>;
}

type Handler = (payload: Work & Record<string, unknown>, turn: Turn) => Promise<unknown>;

/** Works for the team under `name` until it is asked to stop: what it has begun is finished first. */
export function joinTeam(name: string, handlers: Readonly<Record<string, Handler>>): void {
  const client = createClient({ url, token, ecosystem });
  const heartbeat = openHeartbeat();
  heartbeat.send("waiting", "for the edge");
  const handle = async (task: LeasedTask): Promise<unknown> => {
    const handler = handlers[task.type];
    if (handler === undefined) throw new TaskRefused(`${name} does not know ${task.type}`);
    heartbeat.send("working", task.task_id, 0);
    console.log(`${task.type} ${task.task_id}, attempt ${task.attempt}`);
    // A stand-in for the time that thinking takes.
    await new Promise((resolve) => setTimeout(resolve, Number(paceMs)));
    try {
      return await handler(task.payload as Work & Record<string, unknown>, {
        delegate: async (recipient, type, payload) => {
          const task_id = `${task.task_id}.${recipient}`;
          await client.queues.put(queue, [
            { recipient, type, payload, sender: name, task_id, priority: task.priority },
          ]);
        },
      });
    } finally {
      heartbeat.send("idle");
    }
  };
  const worker = work(queue, name, handle, {
    url,
    token,
    ecosystem,
    leaseMs: 5_000,
    onRemark: (text) => console.error(text),
    onConnection: (error) => (error === null ? heartbeat.send("idle") : heartbeat.send("waiting", "for the edge")),
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => void worker.stop().then(() => process.exit(0)));
  }
}

export const pathOf = (kind: "specs" | "code", file: string): string => join(directory, kind, file);

export function readSpec(name: string): Spec {
  return JSON.parse(readFileSync(pathOf("specs", `${name}.json`), "utf8")) as Spec;
}

/** Whole or not at all: a reader, or we after a crash, never see half a file. */
export function writeWhole(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}
