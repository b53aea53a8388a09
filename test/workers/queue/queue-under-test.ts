import { env } from "cloudflare:workers";
import { priorityQueue } from "../../../src/workers/bindings/objects.ts";
import { call, post } from "../api/calls.ts";
import "../log-under-test.ts";

export const queueStub = (ecosystem: string, name = "work") => priorityQueue(env, ecosystem, name);

export interface LeasedTask {
  task_id: string;
  lease_id: string;
  type: string;
  payload: unknown;
  priority: number;
  attempt: number;
  sender: string | null;
  lease_expires_at: string;
  correlation_id?: string;
  cause?: string;
  trace?: string;
  depth?: number;
}

/** A queue as callers over HTTP see it. */
export function queueOver(ecosystem: string, name = "work") {
  const base = `/v1/${ecosystem}/queues/${name}`;
  const read = async <Answer>(response: Promise<Response>) => (await (await response).json()) as Answer;
  return {
    base,
    put: (tasks: object | object[]) => post(`${base}/tasks`, tasks),
    async lease(recipient: string, more: object = {}): Promise<LeasedTask[]> {
      return (await read<{ tasks: LeasedTask[] }>(post(`${base}/lease`, { recipient, ...more }))).tasks;
    },
    act: (taskId: string, action: string, body: object = {}) => post(`${base}/tasks/${taskId}/${action}`, body),
    task: (taskId: string) => read<Record<string, unknown>>(call(`${base}/tasks/${taskId}`)),
    status: () => read<Record<string, unknown> & { depth: number; running: number }>(call(base)),
    configure: (change: object) => post(base, change, { method: "PATCH" }),
    get: (path: string) => call(`${base}${path}`),
  };
}

export const aTask = (more: object = {}) => ({ recipient: "coder", type: "TASK_DELEGATE", payload: { n: 1 }, ...more });

export interface Frame {
  type: string;
  tasks?: (LeasedTask & { status?: string; reason?: string })[];
  batch?: number;
  /** Type of the frame that was refused. */
  frame?: string;
  recipient?: string;
  correlation_id?: string;
  result?: unknown;
  responder?: string;
  problem?: { type: string; status: number; errors?: { pointer: string; message: string }[] };
}

/** One end of a work channel. */
export async function openChannel(ecosystem: string, worker = "w1", name = "work", token?: string) {
  const response = await call(`/v1/${ecosystem}/queues/${name}/work?worker=${worker}`, {
    headers: { Upgrade: "websocket", "Sec-WebSocket-Protocol": "ganglion.work.v1" },
    ...(token === undefined ? {} : { token }),
  });
  const socket = response.webSocket;
  if (socket === null) throw new Error(`no WebSocket, but ${response.status} ${await response.text()}`);
  socket.accept();
  const closed = new Promise<number>((resolve) => socket.addEventListener("close", ({ code }) => resolve(code)));
  const waiting: Frame[] = [];
  const asked: { type: string; resolve: (frame: Frame) => void }[] = [];
  const messages: (Frame | Frame[])[] = [];
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as Frame | Frame[];
    messages.push(message);
    for (const frame of [message].flat()) receive(frame);
  });
  const receive = (frame: Frame): void => {
    const place = asked.findIndex(({ type }) => type === frame.type);
    const [ask] = place < 0 ? [] : asked.splice(place, 1);
    if (ask === undefined) waiting.push(frame);
    else ask.resolve(frame);
  };
  const send = (frame: object): void => socket.send(JSON.stringify(frame));
  /** The next frame of this type. */
  const next = (type: string): Promise<Frame> => {
    const place = waiting.findIndex((frame) => frame.type === type);
    const [frame] = place < 0 ? [] : waiting.splice(place, 1);
    return frame !== undefined ? Promise.resolve(frame) : new Promise((resolve) => asked.push({ type, resolve }));
  };
  return {
    socket,
    /** All received messages. */
    messages,
    waiting,
    send,
    /** Resolves with the code of the close. */
    closed,
    sendText: (text: string): void => socket.send(text),
    next,
    /** Resolves when the queue has the credit: frames are answered in order. */
    async ready(recipient: string, credit: number): Promise<void> {
      send({ type: "ready", recipient, credit });
      send({ type: "no such frame" });
      await next("refused");
    },
  };
}
