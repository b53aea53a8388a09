import { WebSocket } from "ws";
import { DEFAULT_SETTINGS } from "../src/core/queue/queue-settings.ts";
import { WORK_PROTOCOL } from "../src/core/queue/work-frames.ts";
import type { ReachedEdge } from "./edge-under-test.ts";
import { askJson } from "./http-client.ts";

export interface GivenTask {
  readonly task_id: string;
  readonly lease_id: string;
  readonly correlation_id?: string;
}

/** One end of a work channel without the client library, so that a figure measures the edge and not the client. */
export interface BareChannel {
  send(text: string): void;
  onFrame: (frame: {
    type: string;
    tasks?: GivenTask[];
    correlation_id?: string;
    batch?: number;
    problem?: unknown;
  }) => void;
  close(): void;
}

/**
 * Makes a queue before channels are opened to it. A channel that is there before its queue goes through the Worker for as long
 * as it is open, which is not how a queue is used from its second day on.
 *
 * @param settings - default: the capacity that queues have anyway
 */
export async function beginQueue(
  edge: ReachedEdge,
  queue: string,
  settings: object = { capacity: DEFAULT_SETTINGS.capacity },
) {
  await askJson(edge, "PATCH", `/v1/default/queues/${queue}`, settings);
}

/** Settings for many tasks, which raise no alert. */
export const LONG_QUEUE = { capacity: 250_000, alert_depth: null } as const;

export async function openWork(edge: ReachedEdge, queue: string, worker: string): Promise<BareChannel> {
  const url = `${edge.url.replace("http", "ws")}/v1/default/queues/${queue}/work?worker=${worker}`;
  const socket = new WebSocket(url, [WORK_PROTOCOL], {
    perMessageDeflate: false,
    headers: { authorization: `Bearer ${edge.token}` },
  });
  edge.until?.addEventListener("abort", () => socket.terminate());
  await new Promise<void>((resolve, reject) => {
    socket.once("open", () => resolve());
    socket.once("error", reject);
  });
  let frames: string[] = [];
  const flush = () => {
    socket.send(frames.length === 1 ? (frames[0] ?? "") : `[${frames.join(",")}]`);
    frames = [];
  };
  const channel: BareChannel = {
    // Several frames of one turn are one message, as src/client sends them.
    send: (text) => {
      if (frames.push(text) === 1) setImmediate(flush);
    },
    onFrame: () => {},
    close: () => socket.terminate(),
  };
  socket.on("message", (data: Buffer) => {
    const message = JSON.parse(data.toString());
    for (const frame of Array.isArray(message) ? message : [message]) channel.onFrame(frame);
  });
  return channel;
}

/** Completes every task that arrives, with one frame for each frame. @param onProblem - takes what the edge has against that */
export function completeAll(
  channel: BareChannel,
  recipient: string,
  credit: number,
  onDone: (count: number) => void,
  onProblem: (problem: Error) => void = (problem) => {
    throw problem;
  },
): void {
  channel.onFrame = (frame) => {
    if (frame.type === "tasks") {
      const tasks = (frame.tasks ?? []).map(
        ({ task_id, lease_id }) => `{"task_id":"${task_id}","lease_id":"${lease_id}","result":{"ok":true}}`,
      );
      channel.send(`{"type":"complete","tasks":[${tasks.join(",")}]}`);
    } else if (frame.type === "done") onDone(frame.tasks?.length ?? 0);
    else onProblem(new Error(`the edge answered ${JSON.stringify(frame)}`));
  };
  channel.send(JSON.stringify({ type: "ready", recipient, credit }));
}

/** A task such as one agent gives another. */
export const benchTask = (number: number, recipient = "coder", priority = 1 + (number % 10)): string =>
  JSON.stringify({
    recipient,
    type: "TASK_DELEGATE",
    priority,
    sender: "bench/planner",
    payload: { spec: "bench", number, files: ["src/core/window.ts"], note: "as discussed in the morning" },
  });

/** Queues `count` tasks in frames of `size`, a few frames at a time. Resolves when all are durable. */
export async function enqueueMany(
  channel: BareChannel,
  count: number,
  size: number,
  recipient = "coder",
): Promise<void> {
  const body = Array.from({ length: size }, (_, place) => benchTask(place, recipient)).join(",");
  const frames = Math.ceil(count / size);
  let sent = 0;
  let answered = 0;
  const next = () => channel.send(`{"type":"enqueue","batch":${sent++},"tasks":[${body}]}`);
  await new Promise<void>((resolve, reject) => {
    channel.onFrame = (frame) => {
      if (frame.type !== "enqueued") return reject(new Error(`the edge answered ${JSON.stringify(frame)}`));
      answered++;
      if (sent < frames) next();
      else if (answered === frames) resolve();
    };
    for (let started = 0; started < Math.min(4, frames); started++) next();
  });
}
