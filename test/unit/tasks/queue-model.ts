import { expect } from "vitest";
import type { QueueSettings } from "../../../src/core/tasks/queue-settings.ts";
import type { NewTask } from "../../../src/core/tasks/task.ts";
import fc from "../../fast-check.ts";
import { aTask, type QueueUnderTest, RANDOM } from "./queue-under-test.ts";

interface ModelTask {
  readonly given: NewTask & { taskId: string };
  readonly arrival: number;
  readonly createdMs: number;
  state: "queued" | "held" | "complete" | "failed";
  /** While queued: it may be given out once the clock has been seen at this time. */
  notBeforeMs: number | undefined;
  readyMs: number;
  attempts: number;
  startedMs: number;
  expiresMs: number;
  lease: string | undefined;
}

/** The queue as slow and obvious as it can be: a list that is sorted each time. */
export class ModelQueue {
  nowMs = 0;
  readonly tasks: ModelTask[] = [];
  /** Every lease that was given: late and doubled answers are drawn from the newest. */
  readonly leases: [taskId: string, leaseId: string][] = [];
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
        this.failAttempt(task, true, overrun);
      }
      if (task.state === "queued" && task.createdMs + (task.given.deadlineMs ?? Infinity) <= this.nowMs) {
        task.state = "failed";
      }
      if (task.state === "queued" && (task.notBeforeMs ?? 0) <= this.nowMs) task.notBeforeMs = undefined;
    }
  }

  /** @returns whether there was room */
  put(given: NewTask & { taskId: string }): boolean {
    if (this.find(given.taskId) !== undefined) return true;
    while (this.unfinished.length + 1 > this.#settings.capacity) {
      if (this.#settings.overflow === "refuse") return false;
      const oldest = this.waiting.sort((a, b) => a.arrival - b.arrival)[0];
      if (oldest === undefined) return false;
      oldest.state = "failed";
    }
    this.tasks.push({
      given,
      arrival: this.tasks.length,
      createdMs: this.nowMs,
      state: "queued",
      notBeforeMs: given.delayMs > 0 ? this.nowMs + given.delayMs : undefined,
      readyMs: this.nowMs + given.delayMs,
      attempts: 0,
      startedMs: 0,
      expiresMs: 0,
      lease: undefined,
    });
    return true;
  }

  get waiting(): ModelTask[] {
    return this.tasks.filter(({ state, notBeforeMs }) => state === "queued" && notBeforeMs === undefined);
  }

  next(recipient: string): ModelTask | undefined {
    const { ageing_ms } = this.#settings;
    const rank = ({ given, createdMs }: ModelTask) =>
      ageing_ms === null
        ? given.priority
        : Math.max(1, given.priority - Math.floor(Math.max(0, this.nowMs - createdMs) / ageing_ms));
    const candidates = this.waiting.filter(({ given }) => given.recipient === recipient || given.recipient === "*");
    // Of one recipient and priority the first comes first, also where the clock was set back between two of them.
    const isNext = ({ given, arrival }: ModelTask) =>
      !candidates.some(
        (other) =>
          other.arrival < arrival &&
          other.given.recipient === given.recipient &&
          other.given.priority === given.priority,
      );
    return candidates.filter(isNext).sort((a, b) => rank(a) - rank(b) || a.arrival - b.arrival)[0];
  }

  start(task: ModelTask, leaseMs: number): void {
    task.state = "held";
    task.attempts++;
    task.startedMs = this.nowMs;
    task.expiresMs = Math.min(this.nowMs + leaseMs, this.nowMs + (task.given.timeoutMs ?? Infinity));
  }

  failAttempt(task: ModelTask, retry: boolean, pause: boolean): void {
    task.lease = undefined;
    if (!retry || task.attempts >= (task.given.maxAttempts ?? this.#settings.max_attempts)) {
      task.state = "failed";
      return;
    }
    const full = Math.min(this.#settings.backoff_max_ms, this.#settings.backoff_ms * 2 ** (task.attempts - 1));
    this.putBack(task, pause ? Math.floor(full * (0.5 + RANDOM / 2)) : 0);
  }

  putBack(task: ModelTask, pauseMs: number): void {
    task.lease = undefined;
    task.state = "queued";
    task.readyMs = this.nowMs + pauseMs;
    task.notBeforeMs = pauseMs > 0 ? task.readyMs : undefined;
  }

  /** What a crash changes: who waits is told from the times, as these are all that is stored. */
  crash(): void {
    for (const task of this.tasks) {
      if (task.state === "queued") task.notBeforeMs = task.readyMs === task.createdMs ? undefined : task.readyMs;
    }
    this.see();
  }
}

function expectedOf({ given, state, attempts }: ModelTask): string {
  return `${given.taskId} ${state}${state === "queued" || state === "held" ? ` after ${attempts}` : ""}`;
}

function seenOf({ queue, finished }: QueueUnderTest, taskId: string): string {
  const entry = queue.find(taskId);
  if (entry !== undefined) return `${taskId} ${entry.lease === null ? "queued" : "held"} after ${entry.attempt}`;
  const outcome = finished.get(taskId)?.outcome;
  return `${taskId} ${outcome === undefined ? "lost" : outcome === "complete" ? "complete" : "failed"}`;
}

type Command = fc.Command<ModelQueue, QueueUnderTest>;

/** Runs on both, then compares everything that both know. */
function command(name: string, run: (model: ModelQueue, real: QueueUnderTest) => void): Command {
  return {
    check: () => true,
    run: (model, real) => {
      model.see();
      run(model, real);
      // As one text: a comparison for each task would be most of what the test does.
      expect(model.tasks.map(({ given }) => seenOf(real, given.taskId)).join("\n")).toBe(
        model.tasks.map(expectedOf).join("\n"),
      );
      expect(real.queue.size).toBe(model.unfinished.length);
      expect(real.queue.depths.running).toBe(model.tasks.filter(({ state }) => state === "held").length);
    },
    toString: () => name,
  };
}

const anyId = fc.integer({ min: 1, max: 12 }).map((number) => `task${number}`);
const anyRecipient = fc.constantFrom("coder", "tester", "*");
const anyMs = fc.constantFrom(1, 999, 1_000, 1_001, 2_000, 5_000);

const put = fc
  .record({
    taskId: anyId,
    recipient: anyRecipient,
    priority: fc.constantFrom(1, 2, 5, 10),
    delayMs: fc.constantFrom(0, 0, 1, 1_000),
    maxAttempts: fc.constantFrom(undefined, 1, 2),
    timeoutMs: fc.constantFrom(null, 999, 1_000),
    deadlineMs: fc.constantFrom(null, null, 1_000, 5_000),
  })
  .map((given) =>
    command(`put ${JSON.stringify(given)}`, (model, real) => {
      const task = aTask(given) as NewTask & { taskId: string };
      expect("full" in real.enqueue([task])).toBe(!model.put(task));
    }),
  );

const lease = fc.tuple(anyRecipient, anyMs).map(([recipient, leaseMs]) =>
  command(`lease for ${recipient} ${leaseMs}`, (model, real) => {
    const expected = model.next(recipient);
    const got = real.lease(recipient, leaseMs);
    expect(got?.taskId).toBe(expected?.given.taskId);
    if (expected === undefined) return;
    model.start(expected, leaseMs);
    expected.lease = got?.lease?.id;
    expect(got?.lease?.expiresMs).toBe(expected.expiresMs);
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
  (_, task) => {
    task.state = "complete";
  },
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
const giveBack = settle(
  "give back",
  (model, task) => {
    task.attempts--;
    model.putBack(task, 0);
  },
  (real, taskId, leaseId) => real.giveBack(taskId, leaseId),
);
const extend = settle(
  "extend",
  (model, task) => {
    task.expiresMs = Math.min(model.nowMs + 1_000, task.startedMs + (task.given.timeoutMs ?? Infinity));
  },
  (real, taskId, leaseId) => real.extend(taskId, leaseId, 1_000),
);
const cancel = anyId.map((taskId) =>
  command(`cancel ${taskId}`, (model, real) => {
    const task = model.find(taskId);
    const unfinished = task !== undefined && (task.state === "queued" || task.state === "held");
    expect(real.cancel(taskId).ok).toBe(unfinished);
    if (unfinished) task.state = "failed";
  }),
);
const pass = fc.oneof(anyMs, fc.constantFrom(-1_000, -1)).map((ms) =>
  command(`pass ${ms} ms`, (model, real) => {
    model.nowMs = Math.max(0, model.nowMs + ms);
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
  [put, put, lease, lease, complete, fail, giveUp, giveBack, extend, cancel, pass, pass, crash],
  { maxCommands: 120 },
);
