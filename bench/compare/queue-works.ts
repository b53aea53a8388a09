import type { ReachedEdge } from "../edge-under-test.ts";
import { beginQueue, benchTask, completeAll, enqueueMany, LONG_QUEUE, openWork } from "../work-client.ts";

/** A queue that speaks the edge's frames: the edge, or the floor. */
export type Queue = ReachedEdge;

let queues = 0;
async function newQueue(queue: Queue, settings?: object): Promise<string> {
  const name = `compared-${++queues}`;
  await beginQueue(queue, name, settings);
  return name;
}

/** @returns tasks per second that four workers finish, each with so many leases at a time */
export async function drain(queue: Queue, tasks: number, leases: number): Promise<number> {
  const name = await newQueue(queue);
  const sender = await openWork(queue, name, "sender");
  await enqueueMany(sender, tasks, 500);
  const workers = await Promise.all([1, 2, 3, 4].map((number) => openWork(queue, name, `worker-${number}`)));
  let done = 0;
  const started = performance.now();
  await new Promise<void>((resolve, reject) => {
    for (const worker of workers) {
      const add = (more: number) => {
        done += more;
        if (done === tasks) resolve();
      };
      completeAll(worker, "coder", leases, add, reject);
    }
  });
  const seconds = (performance.now() - started) / 1_000;
  for (const channel of [sender, ...workers]) channel.close();
  return tasks / seconds;
}

/** @returns milliseconds from sending a task to its being with a waiting worker, one after the other */
export async function pickup(queue: Queue, rounds: number): Promise<number[]> {
  const name = await newQueue(queue);
  const sender = await openWork(queue, name, "sender");
  const worker = await openWork(queue, name, "worker");
  let arrived = (): void => {};
  let done = (): void => {};
  worker.onFrame = ({ type, tasks }) => {
    if (type === "done") return done();
    if (type !== "tasks") return;
    arrived();
    const [task] = tasks ?? [];
    worker.send(`{"type":"complete","tasks":[{"task_id":"${task?.task_id}","lease_id":"${task?.lease_id}"}]}`);
  };
  worker.send(JSON.stringify({ type: "ready", recipient: "coder", credit: 1 }));
  const millis: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const there = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const settled = new Promise<void>((resolve) => {
      done = resolve;
    });
    const started = performance.now();
    sender.send(`{"type":"enqueue","batch":${round},"tasks":[${benchTask(round)}]}`);
    await there;
    millis.push(performance.now() - started);
    await settled;
  }
  sender.close();
  worker.close();
  return millis;
}

const callFrame = (id: string) =>
  `{"type":"call","correlation_id":"${id}","recipient":"coder","task_type":"ASK","payload":{"question":"what now?"}}`;

/** @returns calls per second, and the milliseconds of each in the order of their replies */
export async function calls(
  queue: Queue,
  count: number,
  inFlight: number,
): Promise<{ readonly perSecond: number; readonly millis: readonly number[] }> {
  const name = await newQueue(queue);
  const caller = await openWork(queue, name, "caller");
  const worker = await openWork(queue, name, "worker");
  const sentAt = new Map<string, number>();
  const millis: number[] = [];
  let sent = 0;
  const next = (): void => {
    const id = `${name}-${sent++}`;
    sentAt.set(id, performance.now());
    caller.send(callFrame(id));
  };
  const started = performance.now();
  await new Promise<void>((resolve, reject) => {
    completeAll(worker, "coder", 64, () => {}, reject);
    caller.onFrame = ({ correlation_id = "", problem }) => {
      if (problem !== undefined) return reject(new Error(JSON.stringify(problem)));
      millis.push(performance.now() - (sentAt.get(correlation_id) ?? Number.NaN));
      sentAt.delete(correlation_id);
      if (sent < count) next();
      else if (millis.length === count) resolve();
    };
    for (let lane = 0; lane < inFlight; lane++) next();
  });
  const seconds = (performance.now() - started) / 1_000;
  caller.close();
  worker.close();
  return { perSecond: count / seconds, millis };
}

/** @returns tasks per second that are queued in batches of 100, behind so many of another recipient */
export async function enqueue(queue: Queue, tasks: number, behind: number): Promise<number> {
  const name = await newQueue(queue, LONG_QUEUE);
  const sender = await openWork(queue, name, "sender");
  if (behind > 0) await enqueueMany(sender, behind, 500, "somebody-else");
  const started = performance.now();
  await enqueueMany(sender, tasks, 100);
  const seconds = (performance.now() - started) / 1_000;
  sender.close();
  return tasks / seconds;
}
