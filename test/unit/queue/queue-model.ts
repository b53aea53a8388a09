import { expect } from "vitest";
import type { QueueSettings } from "../../../src/core/queue/queue-settings.ts";
import type { NewTask, Outcome } from "../../../src/core/queue/task.ts";
import fc from "../../fast-check.ts";
import { aTask, type QueueUnderTest, RANDOM } from "./queue-under-test.ts";

interface ModelTask {
  readonly given: NewTask & { taskId: string };
  readonly arrival: number;
  readonly createdMs: number;
  state: "queued" | "held" | Outcome;
  /** While queued: it may be given out once the clock has been seen at this time. */
  notBeforeMs: number | undefined;
  readyMs: number;
  attempts: number;
  startedMs: number;
  expiresMs: number;
  /** What storage knows of the lease. */
  storedMs: number;
  grantMs: number;
  graced: boolean;
  /** It was read from storage, and renewals may be missing. */
  unsure: boolean;
  /** The end that the worker was promised last. */
  promisedMs: number;
  lease: string | undefined;
  /** Milliseconds in which it could have been given out and was not, and in which somebody held it. */
  waitedMs: number;
  ranMs: number;
  /** Question that it waits for, and those whose answers it was given. */
  waitsFor: string | undefined;
  answers: string[];
  /** Whether it ever waited, or was given an answer. */
  parked: boolean;
}

/** The queue as slow and obvious as it can be: a list that is sorted each time. */
export class ModelQueue {
  nowMs = 0;
  paused = false;
  /** The clock was never set back: no promise of a lease is broken, whatever crashes. */
  monotonic = true;
  tasks: ModelTask[] = [];
  /** Every lease that was given: late and doubled answers are drawn from the newest. */
  readonly leases: [taskId: string, leaseId: string][] = [];
  #arrivals = 0;
  readonly #settings: QueueSettings;

  constructor(settings: QueueSettings) {
    this.#settings = settings;
  }

  find(taskId: string): ModelTask | undefined {
    return this.tasks.find(({ given }) => given.taskId === taskId);
  }

  get unfinished(): ModelTask[] {
    return this.tasks.filter(({ state }) => state === "queued" || state === "held");
  }

  see(): void {
    for (const task of this.unfinished) {
      if (task.state === "held" && task.expiresMs <= this.nowMs) {
        const overrun = task.given.timeoutMs !== null && this.nowMs >= task.startedMs + task.given.timeoutMs;
        if (task.unsure && !overrun) {
          task.expiresMs = this.#endOf(task, task.grantMs);
          task.storedMs = task.expiresMs;
          task.graced = true;
          task.unsure = false;
          continue;
        }
        if (this.monotonic) expect(this.nowMs).toBeGreaterThanOrEqual(task.promisedMs);
        this.failAttempt(task, true, overrun);
      }
      if (task.state === "queued" && deadlineOf(task) <= this.nowMs) {
        this.end(task, "expired");
      }
      if (task.state === "queued" && (task.notBeforeMs ?? 0) <= this.nowMs) task.notBeforeMs = undefined;
    }
  }

  /** @returns whether there was room: all are taken or none, and none twice */
  put(tasks: readonly (NewTask & { taskId: string })[]): boolean {
    const fresh = tasks.filter(
      ({ taskId }, place) =>
        this.find(taskId) === undefined && tasks.findIndex((other) => other.taskId === taskId) === place,
    );
    const tooMany = this.unfinished.length + fresh.length - this.#settings.capacity;
    const oldest = this.waiting.sort((a, b) => a.arrival - b.arrival);
    if (tooMany > 0 && (this.#settings.overflow === "refuse" || oldest.length < tooMany)) return false;
    for (const task of oldest.slice(0, Math.max(0, tooMany))) this.end(task, "dropped");
    for (const given of fresh) {
      this.tasks.push({
        given,
        arrival: this.#arrivals++,
        createdMs: this.nowMs,
        state: "queued",
        notBeforeMs: given.delayMs > 0 ? this.nowMs + given.delayMs : undefined,
        readyMs: this.nowMs + given.delayMs,
        attempts: 0,
        startedMs: 0,
        expiresMs: 0,
        storedMs: 0,
        grantMs: 0,
        graced: false,
        unsure: false,
        promisedMs: 0,
        lease: undefined,
        waitedMs: 0,
        ranMs: 0,
        waitsFor: undefined,
        answers: [],
        parked: false,
      });
    }
    return true;
  }

  end(task: ModelTask, outcome: Outcome): void {
    if (task.state === "queued" && task.notBeforeMs === undefined)
      task.waitedMs += Math.max(0, this.nowMs - task.readyMs);
    this.#letGo(task);
    task.state = outcome;
  }

  #letGo(task: ModelTask): void {
    if (task.state === "held") task.ranMs += Math.max(0, this.nowMs - task.startedMs);
    task.lease = undefined;
    task.unsure = false;
  }

  #endOf(task: ModelTask, leaseMs: number): number {
    return Math.min(this.nowMs + leaseMs, task.startedMs + (task.given.timeoutMs ?? Infinity));
  }

  renew(task: ModelTask, leaseMs: number): void {
    task.expiresMs = this.#endOf(task, leaseMs);
    task.promisedMs = task.expiresMs;
    task.unsure = false;
    if (leaseMs <= task.grantMs && task.expiresMs >= task.storedMs && !task.graced) return;
    task.storedMs = task.expiresMs;
    task.grantMs = leaseMs;
    task.graced = false;
  }

  /** When something happens though nobody asks: a lease runs out, a delay, or the time in which it was to be taken. */
  get nextDueMs(): number | undefined {
    const due = this.unfinished.map((task) => {
      return task.state === "held" ? task.expiresMs : Math.min(task.notBeforeMs ?? Infinity, deadlineOf(task));
    });
    const first = Math.min(...due);
    return first === Infinity ? undefined : first;
  }

  get waiting(): ModelTask[] {
    return this.tasks.filter(({ state, notBeforeMs }) => state === "queued" && notBeforeMs === undefined);
  }

  next(recipient: string, skills: readonly string[]): ModelTask | undefined {
    const { ageing_ms } = this.#settings;
    const rank = ({ given, createdMs }: ModelTask) =>
      ageing_ms === null
        ? given.priority
        : Math.max(1, given.priority - Math.floor(Math.max(0, this.nowMs - createdMs) / ageing_ms));
    const candidates = this.waiting.filter(
      ({ given }) =>
        (given.recipient === recipient || given.recipient === "*") &&
        (given.needs ?? []).every((skill) => skills.includes(skill)),
    );
    const needs = ({ given }: ModelTask) => given.needs?.join() ?? "";
    // Of one recipient, needs and priority the first comes first, also where the clock was set back between two of them.
    const isNext = (task: ModelTask) =>
      !candidates.some(
        (other) =>
          other.arrival < task.arrival &&
          other.given.recipient === task.given.recipient &&
          needs(other) === needs(task) &&
          other.given.priority === task.given.priority,
      );
    return candidates.filter(isNext).sort((a, b) => rank(a) - rank(b) || a.arrival - b.arrival)[0];
  }

  start(task: ModelTask, leaseMs: number): void {
    task.state = "held";
    task.waitedMs += Math.max(0, this.nowMs - task.readyMs);
    task.attempts++;
    task.waitsFor = undefined;
    task.startedMs = this.nowMs;
    task.expiresMs = this.#endOf(task, leaseMs);
    task.promisedMs = task.expiresMs;
    task.storedMs = task.expiresMs;
    task.grantMs = 0;
    task.graced = false;
    task.unsure = false;
  }

  failAttempt(task: ModelTask, retry: boolean, pause: boolean): void {
    if (!retry || task.attempts >= (task.given.maxAttempts ?? this.#settings.max_attempts)) {
      this.end(task, "failed");
      return;
    }
    const full = Math.min(this.#settings.backoff_max_ms, this.#settings.backoff_ms * 2 ** (task.attempts - 1));
    this.putBack(task, pause ? Math.floor(full * (0.5 + RANDOM / 2)) : 0);
  }

  /** A worker leaves it until an answer comes, or that long: the attempt does not count. */
  park(task: ModelTask, question: string, longestMs: number): void {
    task.attempts--;
    task.parked = true;
    const waits = !task.answers.includes(question);
    if (waits) task.waitsFor = question;
    this.putBack(task, waits ? longestMs : 0);
  }

  /** An answer stays with the task, each once. */
  answer(task: ModelTask, question: string): void {
    if (task.answers.includes(question)) return;
    task.answers.push(question);
    task.parked = true;
    if (task.waitsFor !== question) return;
    task.waitsFor = undefined;
    if (task.state !== "queued" || task.notBeforeMs === undefined) return;
    task.notBeforeMs = undefined;
    task.readyMs = this.nowMs;
  }

  putBack(task: ModelTask, pauseMs: number): void {
    this.#letGo(task);
    task.state = "queued";
    task.readyMs = this.nowMs + pauseMs;
    task.notBeforeMs = pauseMs > 0 ? task.readyMs : undefined;
  }

  /** What a crash changes: who waits is told from the times, as these are all that is stored. */
  crash(): void {
    for (const task of this.tasks) {
      if (task.state === "queued") task.notBeforeMs = task.readyMs === task.createdMs ? undefined : task.readyMs;
      if (task.state === "held") {
        task.expiresMs = task.storedMs;
        task.unsure = task.grantMs > 0 && !task.graced;
      }
    }
    this.see();
  }
}

/** A task that was parked had been taken in time. */
const deadlineOf = ({ given, createdMs, waitsFor, answers }: ModelTask): number =>
  waitsFor !== undefined || answers.length > 0 ? Infinity : createdMs + (given.deadlineMs ?? Infinity);

const isOver = ({ state }: ModelTask) => state !== "queued" && state !== "held";

function expectedOf(task: ModelTask): string {
  const { given, state, attempts, waitedMs, ranMs } = task;
  const times = isOver(task) ? `, waited ${waitedMs}, ran ${ranMs}` : "";
  return `${given.taskId} ${state} after ${attempts}${times}`;
}

function seenOf({ queue, finished }: QueueUnderTest, taskId: string): string {
  const entry = queue.find(taskId);
  if (entry !== undefined) return `${taskId} ${entry.lease === null ? "queued" : "held"} after ${entry.attempt}`;
  const record = finished.get(taskId);
  if (record === undefined) return `${taskId} lost`;
  return `${taskId} ${record.outcome} after ${record.attempt}, waited ${record.waitedMs}, ran ${record.ranMs}`;
}

/** What both know, as text: a comparison for each task would be most of what the test does. */
function expectedWhole(model: ModelQueue): string {
  const { waiting } = model;
  const held = model.tasks.filter(({ state }) => state === "held").length;
  const oldest = waiting.toSorted((a, b) => a.arrival - b.arrival)[0]?.createdMs;
  const recipients = [...new Set(waiting.map(({ given }) => given.recipient))].sort();
  return [
    ...model.tasks.map(expectedOf),
    `${model.unfinished.length} unfinished, ${held} held, due ${model.nextDueMs}`,
    `waiting for ${recipients} since ${oldest}`,
  ].join("\n");
}

function seenWhole(model: ModelQueue, real: QueueUnderTest): string {
  const { queue } = real;
  return [
    ...model.tasks.map(({ given }) => seenOf(real, given.taskId)),
    `${queue.size} unfinished, ${queue.depths.running} held, due ${dueOf(model, queue.nextDueMs)}`,
    `waiting for ${[...queue.waitingRecipients].sort()} since ${queue.oldestWaitingMs}`,
  ].join("\n");
}

/**
 * When the queue is due, where that is right: a task that waits in storage alone keeps the times that it had before it was
 * parked, and the queue may look once too early.
 */
function dueOf({ nextDueMs, tasks }: ModelQueue, dueMs: number | undefined): number | undefined {
  const changed = tasks.some(({ given, parked }) => parked && given.deadlineMs !== null);
  return changed && dueMs !== undefined && dueMs < (nextDueMs ?? Infinity) ? nextDueMs : dueMs;
}

type Command = fc.Command<ModelQueue, QueueUnderTest>;

/** Runs on both, then compares everything that both know. */
function command(name: string, run: (model: ModelQueue, real: QueueUnderTest) => void): Command {
  return {
    check: () => true,
    run: (model, real) => {
      model.see();
      run(model, real);
      expect(seenWhole(model, real)).toBe(expectedWhole(model));
      expect(real.queue.heldBy("worker")).toBe(real.queue.depths.running);
    },
    toString: () => name,
  };
}

const anyId = fc.integer({ min: 1, max: 40 }).map((number) => `task${number}`);
const anyRecipient = fc.constantFrom("coder", "tester", "*");
const anySkills = fc.constantFrom<readonly string[]>([], [], ["python"], ["python", "sql"]);
const anyMs = fc.constantFrom(1, 999, 1_000, 1_001, 2_000, 5_000);

const anyTask = fc.record({
  taskId: anyId,
  recipient: anyRecipient,
  priority: fc.constantFrom(1, 2, 5, 10),
  delayMs: fc.constantFrom(0, 0, 1, 1_000),
  maxAttempts: fc.constantFrom(undefined, 1, 2),
  timeoutMs: fc.constantFrom(null, 999, 1_000),
  deadlineMs: fc.constantFrom(null, null, 1_000, 5_000),
  needs: fc.constantFrom<readonly string[]>([], [], ["python"], ["sql"], ["python", "sql"]),
});
// Mostly one at a time; a group may hold an id twice, and more than the queue has room for.
const put = fc
  .oneof({ arbitrary: fc.tuple(anyTask), weight: 3 }, { arbitrary: fc.array(anyTask, { maxLength: 6 }), weight: 1 })
  .map((given) =>
    command(`put ${JSON.stringify(given)}`, (model, real) => {
      const tasks = given.map((one) => aTask(one) as NewTask & { taskId: string });
      expect("full" in real.enqueue(tasks)).toBe(!model.put(tasks));
    }),
  );

const lease = fc.tuple(anyRecipient, anyMs, anySkills).map(([recipient, leaseMs, skills]) =>
  command(`lease for ${recipient} (${skills}) ${leaseMs}`, (model, real) => {
    const expected = model.paused ? undefined : model.next(recipient, skills);
    const got = real.lease(recipient, leaseMs, skills);
    expect(got?.taskId).toBe(expected?.given.taskId);
    if (expected === undefined) return;
    model.start(expected, leaseMs);
    expected.lease = got?.lease?.id;
    expect(got?.lease?.expiresMs).toBe(expected.expiresMs);
    // What is told of an earlier lease must not pass for this one's.
    expect(model.leases.some(([, leaseId]) => leaseId === got?.lease?.id)).toBe(false);
    model.leases.push([expected.given.taskId, got?.lease?.id ?? ""]);
  }),
);

function settle(
  name: string,
  apply: (model: ModelQueue, task: ModelTask) => void,
  act: (real: QueueUnderTest, taskId: string, leaseId: string) => { ok: boolean },
) {
  return fc.integer({ min: 1, max: 8 }).map((back) =>
    command(`${name} the ${back}. newest lease`, (model, real) => {
      const [taskId, leaseId] = model.leases.at(-back) ?? ["task1", "none"];
      const task = model.find(taskId);
      const holds = task?.state === "held" && task.lease === leaseId;
      const again = name === "complete" && real.finished.get(taskId)?.leaseId === leaseId && task?.state === "complete";
      expect(act(real, taskId, leaseId).ok).toBe(holds || again);
      if (holds && task !== undefined) apply(model, task);
    }),
  );
}

const complete = settle(
  "complete",
  (model, task) => model.end(task, "complete"),
  (real, taskId, leaseId) => real.complete(taskId, leaseId),
);
const fail = settle(
  "fail",
  (model, task) => model.failAttempt(task, true, true),
  (real, taskId, leaseId) => real.fail(taskId, leaseId, true),
);
const giveUp = settle(
  "give up",
  (model, task) => model.failAttempt(task, false, true),
  (real, taskId, leaseId) => real.fail(taskId, leaseId, false),
);
const release = settle(
  "release",
  (model, task) => {
    task.attempts--;
    model.putBack(task, 0);
  },
  (real, taskId, leaseId) => real.release(taskId, leaseId),
);
const anyQuestion = ["deploy", "delete"] as const;
const park = fc.constantFrom(...anyQuestion).chain((question) =>
  settle(
    `park for ${question}`,
    (model, task) => model.park(task, question, 3_000),
    (real, taskId, leaseId) => {
      const wish = { why: "waits", question, untilMs: real.nowMs + 3_000 };
      const held = real.queue.find(taskId)?.lease?.id === leaseId;
      const outcome = real.change((queue, nowMs) => queue.parking.park(taskId, leaseId, wish, nowMs));
      // Said again while it waits it is agreed to, and changes nothing.
      return held ? outcome : { ok: false };
    },
  ),
);
const answer = fc.tuple(anyId, fc.constantFrom(...anyQuestion)).map(([taskId, question]) =>
  command(`answer ${question} for ${taskId}`, (model, real) => {
    const task = model.find(taskId);
    const given = { question, state: "answered", answer: "yes", answered_by: "ops", at: "2026-01-01" } as const;
    const outcome = real.change((queue, nowMs) => queue.parking.answer(taskId, given, nowMs));
    expect(outcome.ok).toBe(task !== undefined && !isOver(task));
    if (task !== undefined && !isOver(task)) model.answer(task, question);
    const answers = real.queue.find(taskId)?.answers?.map((one) => one.question) ?? [];
    if (task !== undefined && !isOver(task)) expect(answers).toEqual(task.answers);
  }),
);
const extendBy = (leaseMs: number) =>
  settle(
    `extend by ${leaseMs}`,
    (model, task) => model.renew(task, leaseMs),
    (real, taskId, leaseId) => real.extend(taskId, leaseId, leaseMs),
  );
const extend = fc.oneof(...[1, 1_000, 1_000, 5_000].map(extendBy));
const cancel = anyId.map((taskId) =>
  command(`cancel ${taskId}`, (model, real) => {
    const task = model.find(taskId);
    const unfinished = task !== undefined && !isOver(task);
    expect(real.cancel(taskId).ok).toBe(unfinished);
    if (unfinished) model.end(task, "cancelled");
  }),
);
const purge = anyId.map((taskId) =>
  command(`purge ${taskId}`, (model, real) => {
    const task = model.find(taskId);
    const unfinished = task !== undefined && !isOver(task);
    expect(real.purge(taskId).ok).toBe(unfinished);
    // Its id is free again.
    if (unfinished) model.tasks = model.tasks.filter((other) => other !== task);
  }),
);
const pause = fc.boolean().map((paused) =>
  command(paused ? "pause" : "resume", (model, real) => {
    model.paused = paused;
    real.pause(paused);
  }),
);
const pass = fc.oneof(anyMs, fc.constantFrom(-1_000, -1)).map((ms) =>
  command(`pass ${ms} ms`, (model, real) => {
    model.nowMs = Math.max(0, model.nowMs + ms);
    if (ms < 0) model.monotonic = false;
    model.see();
    real.pass(ms);
  }),
);
const crash = fc.constant(
  command("crash", (model, real) => {
    model.crash();
    real.crash();
  }),
);

export const anyHistory = fc.commands(
  [
    put,
    put,
    lease,
    lease,
    lease,
    complete,
    fail,
    giveUp,
    release,
    park,
    answer,
    extend,
    cancel,
    purge,
    pause,
    pass,
    pass,
    crash,
  ],
  { maxCommands: 120 },
);
