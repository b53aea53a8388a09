import { describe, expect, it } from "vitest";
import { type Accept, type Judgement, judgementOfCheck, judgementOfReview } from "../../../src/core/queue/accept.ts";
import { DEFAULT_SETTINGS } from "../../../src/core/queue/queue-settings.ts";
import { IDENTIFIER } from "../../../src/core/signals/signal.ts";
import fc from "../../fast-check.ts";
import { aTask, QueueUnderTest } from "./queue-under-test.ts";

const SETTINGS = { ...DEFAULT_SETTINGS, max_attempts: 2, backoff_ms: 1_000, backoff_max_ms: 1_000 };
const yes: Judgement = { accepted: true, by: "check", name: "tests" };
const no: Judgement = { accepted: false, by: "check", name: "tests", reason: "the check tests ended with status 1" };

interface ModelTask {
  readonly accept: Accept | undefined;
  state: "queued" | "running" | "verifying" | "complete" | "failed";
  attempts: number;
  lease: string | undefined;
  proof: string | undefined;
  refused: string | undefined;
}

/** What the queue may do with tasks that must prove that they are done, as plainly as it can be said. */
class Model {
  readonly tasks = new Map<string, ModelTask>();
  readonly leases: [string, string][] = [];
  readonly proofs: [string, string][] = [];
  /** Judgements that counted, by their proofs: one each. */
  readonly judged = new Set<string>();

  refuse(task: ModelTask): void {
    task.refused = task.lease;
    this.#back(task);
  }

  expire(task: ModelTask): void {
    this.#back(task);
  }

  #back(task: ModelTask): void {
    task.state = task.attempts >= SETTINGS.max_attempts ? "failed" : "queued";
    task.lease = undefined;
    task.proof = undefined;
  }

  count(state: ModelTask["state"]): number {
    return [...this.tasks.values()].filter((task) => task.state === state).length;
  }
}

const LEASE_MS = 30_000;
/** Mostly the newest. */
const place = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 7 }) });
const often = <Step>(weight: number, arbitrary: fc.Arbitrary<Step>) => ({ weight, arbitrary });
const accepts = fc.constantFrom(undefined, { check: "tests" }, { check: "tests" }, { reviewer: "ops" });
const times = fc.constantFrom(1, 1_000, 1_000, LEASE_MS - 1, LEASE_MS, 7 * 86_400_000);
const step = fc.oneof(
  often(3, fc.record({ do: fc.constant("put" as const), accept: accepts })),
  often(5, fc.record({ do: fc.constant("lease" as const) })),
  often(5, fc.record({ do: fc.constant("complete" as const), at: place })),
  often(5, fc.record({ do: fc.constant("judge" as const), at: place, accepted: fc.boolean() })),
  often(1, fc.record({ do: fc.constant("again" as const), at: place })),
  often(1, fc.record({ do: fc.constant("fail" as const), at: place })),
  often(1, fc.record({ do: fc.constant("cancel" as const), at: place })),
  often(1, fc.record({ do: fc.constant("crash" as const) })),
  often(2, fc.record({ do: fc.constant("pass" as const), ms: times })),
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

/** The one that came `at` places before the last: most are late, doubled, or about what is over. */
const from = <Item>(items: readonly Item[], at: number): Item | undefined => items.at(-1 - at);

function follow(queue: QueueUnderTest, model: Model, one: Step) {
  switch (one.do) {
    case "put": {
      const id = `t${model.tasks.size}`;
      queue.enqueue([
        aTask({ taskId: id, deadlineMs: 60_000, ...(one.accept === undefined ? {} : { accept: one.accept }) }),
      ]);
      model.tasks.set(id, {
        accept: one.accept,
        state: "queued",
        attempts: 0,
        lease: undefined,
        proof: undefined,
        refused: undefined,
      });
      return;
    }
    case "lease": {
      const given = queue.lease("coder", LEASE_MS);
      if (given?.lease == null) return;
      const task = model.tasks.get(given.taskId);
      expect(task?.state).toBe("queued");
      if (task === undefined) return;
      Object.assign(task, { state: "running", attempts: task.attempts + 1, lease: given.lease.id });
      model.leases.push([given.taskId, given.lease.id]);
      return;
    }
    case "complete": {
      const [id, lease] = from(model.leases, one.at) ?? ["", ""];
      const task = model.tasks.get(id);
      const answer = queue.complete(id, lease);
      if (task?.state === "running" && task.lease === lease) {
        task.state = task.accept === undefined ? "complete" : "verifying";
        expect(answer).toEqual({ ok: true, status: task.state });
        const proof = queue.queue.find(id)?.proof?.id;
        if (proof !== undefined) model.proofs.push([id, proof]);
        task.proof = proof;
      } else if (task?.lease === lease && task.state === "verifying")
        expect(answer).toEqual({ ok: true, status: "verifying" });
      return;
    }
    case "judge": {
      const [id, proof] = from(model.proofs, one.at) ?? ["", ""];
      const task = model.tasks.get(id);
      const answer = queue.change((inner, nowMs) => inner.proofs.judge(id, proof, one.accepted ? yes : no, nowMs));
      const counts = task?.state === "verifying" && task.proof === proof;
      expect(answer.ok).toBe(counts);
      if (task === undefined || !counts) return;
      expect(model.judged.has(proof)).toBe(false);
      model.judged.add(proof);
      if (one.accepted) task.state = "complete";
      else model.refuse(task);
      return;
    }
    case "again": {
      const [id, proof] = from(model.proofs, one.at) ?? ["", ""];
      queue.change((inner) => inner.proofs.askAgain(id, proof));
      return;
    }
    case "fail": {
      const [id, lease] = from(model.leases, one.at) ?? ["", ""];
      const task = model.tasks.get(id);
      const answer = queue.fail(id, lease, true);
      expect(answer.ok).toBe(task?.state === "running" && task.lease === lease);
      if (task !== undefined && answer.ok) model.expire(task);
      return;
    }
    case "cancel": {
      const id = `t${one.at}`;
      const task = model.tasks.get(id);
      const open = task !== undefined && !["complete", "failed"].includes(task.state);
      expect(queue.cancel(id).ok).toBe(open);
      if (open) task.state = "failed";
      return;
    }
    case "crash":
      return queue.crash();
    case "pass":
      queue.pass(one.ms);
  }
}

/** Time ends leases and deadlines, but no wait for a judgement. */
function advance(queue: QueueUnderTest, model: Model): void {
  for (const [id, task] of model.tasks) {
    const found = queue.queue.find(id);
    if (task.state === "running" && found?.lease?.id !== task.lease) model.expire(task);
    if (task.state === "queued" && found === undefined && queue.finished.get(id)?.outcome === "expired")
      task.state = "failed";
  }
}

describe("a queue whose tasks must prove that they are done", () => {
  it("completes a task once it was accepted and never before, over crashes, late judgements and reports that come again", () => {
    const seen = { complete: 0, refused: 0, late: 0 };
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), fc.boolean(), (steps, small) => {
        // With next to no room in memory, tasks that wait are only in storage.
        const queue = new QueueUnderTest(SETTINGS, small ? 1 : undefined);
        const model = new Model();
        for (const one of steps) {
          follow(queue, model, one);
          advance(queue, model);
          for (const [id, task] of model.tasks) {
            const found = queue.queue.find(id);
            const ended = queue.finished.get(id);
            const state =
              ended === undefined
                ? found?.proof
                  ? "verifying"
                  : found?.lease
                    ? "running"
                    : "queued"
                : ended.outcome === "complete"
                  ? "complete"
                  : "failed";
            expect([id, state]).toEqual([id, task.state]);
            // Who lied is not believed: without an accepted judgement there is no completion.
            if (task.accept !== undefined && state === "complete") expect(ended?.verdict?.accepted).toBe(true);
          }
          // A task that waits to be judged holds no worker.
          expect(queue.queue.heldBy("worker")).toBe(model.count("running"));
          const { queued, running, verifying } = queue.queue.depths;
          expect([queued, running, verifying]).toEqual([
            model.count("queued"),
            model.count("running"),
            model.count("verifying"),
          ]);
          expect(queue.queue.proofs.waiting.size).toBe(verifying);
        }
        seen.complete += [...queue.finished.values()].filter(({ verdict }) => verdict?.accepted).length;
        seen.refused += [...queue.finished.values()].filter(({ verdict }) => verdict?.accepted === false).length;
        seen.late += model.proofs.length - model.judged.size;
      }),
      { numRuns: 1_000 },
    );
    // The histories did what they are for.
    expect(Math.min(seen.complete, seen.refused, seen.late)).toBeGreaterThan(50);
  });

  it("holds up no other task: what waits to be judged counts for no worker, and the next task is given out", () => {
    const queue = new QueueUnderTest(SETTINGS);
    queue.enqueue([aTask({ taskId: "a", accept: { check: "slow" } }), aTask({ taskId: "b" })]);
    const first = queue.lease("coder");
    queue.complete("a", first?.lease?.id ?? "");
    expect(queue.queue.heldBy("worker")).toBe(0);
    expect(queue.lease("coder")?.taskId).toBe("b");
    queue.pass(30 * 86_400_000);
    expect(queue.queue.find("a")?.state).toBe("verifying");
  });

  it("gives each proof an id by which a task can be called, whatever the lease is called", () => {
    const queue = new QueueUnderTest(SETTINGS);
    queue.enqueue([aTask({ taskId: "a", accept: { check: "slow" } })]);
    const lease = queue.lease("coder")?.lease?.id ?? "";
    expect(lease).not.toMatch(IDENTIFIER);
    queue.complete("a", lease);
    expect(queue.queue.find("a")?.proof?.id).toMatch(IDENTIFIER);
  });

  it("keeps the result from the report for the task, and the reason of a refusal for the next worker", () => {
    const queue = new QueueUnderTest(SETTINGS);
    queue.enqueue([aTask({ taskId: "a", accept: { check: "tests" } })]);
    const lease = queue.lease("coder")?.lease?.id ?? "";
    queue.change((inner, nowMs) => inner.complete("a", lease, '{"n":1}', nowMs));
    const proof = queue.queue.find("a")?.proof?.id ?? "";
    queue.change((inner, nowMs) => inner.proofs.judge("a", proof, no, nowMs));
    queue.pass(1_000);
    const again = queue.lease("coder");
    expect(again?.verdict).toMatchObject({
      accepted: false,
      reason: "the check tests ended with status 1",
      attempt: 1,
    });
    queue.change((inner, nowMs) => inner.complete("a", again?.lease?.id ?? "", '{"n":2}', nowMs));
    queue.crash();
    const second = queue.queue.find("a")?.proof?.id ?? "";
    queue.change((inner, nowMs) => inner.proofs.judge("a", second, yes, nowMs));
    expect(queue.finished.get("a")).toMatchObject({
      outcome: "complete",
      attempt: 2,
      resultJson: '{"n":2}',
      worker: "worker",
    });
  });
});

describe("a run of a check", () => {
  const report = (exit_code: number | null, ending: string, output = "") =>
    JSON.stringify({ host: "gpu-01", exit_code, ending, output, duration_ms: 5 });
  const ended = (resultJson: string | null) =>
    judgementOfCheck("tests", { outcome: "complete", resultJson, error: null });

  it("accepts by the exit code 0 alone", () => {
    expect(ended(report(0, "ended with status 0"))).toMatchObject({ accepted: true, exit_code: 0, host: "gpu-01" });
    for (const code of [1, 2, 127, 255, null]) expect(ended(report(code, "ended otherwise")).accepted).toBe(false);
  });

  it("says why not, with the last line that it printed", () => {
    expect(ended(report(1, "ended with status 1", "a\n2 tests failed\n\n")).reason).toBe(
      "the check tests ended with status 1 on gpu-01: 2 tests failed",
    );
  });

  it("that nobody could run, or whose report cannot be read, accepts nothing", () => {
    const lost = judgementOfCheck("tests", {
      outcome: "failed",
      resultJson: null,
      error: "gpu-01 let its lease run out",
    });
    expect(lost).toMatchObject({
      accepted: false,
      reason: "the check tests could not be run: gpu-01 let its lease run out",
    });
    for (const text of [null, "", "null", "{", '{"exit_code":0}', '"0"']) expect(ended(text).accepted).toBe(false);
  });

  it("keeps the beginning and the end of a long output", () => {
    const { output = "" } = ended(report(1, "failed", `first${"x".repeat(100_000)}last`));
    expect([output.length <= 4_000, output.startsWith("first"), output.endsWith("last")]).toEqual([true, true, true]);
  });
});

describe("a review", () => {
  const end = { answer: "refuse", answered_by: "anna" } as const;

  it("accepts by the answer accept alone, and silence decides nothing", () => {
    expect(judgementOfReview({ state: "answered", answer: "accept", answered_by: "anna" })).toMatchObject({
      accepted: true,
      name: "anna",
    });
    expect(judgementOfReview({ state: "answered", ...end, comment: "no tests" })).toMatchObject({
      accepted: false,
      reason: "anna refused it: no tests",
    });
    expect(judgementOfReview({ state: "cancelled", ...end })?.accepted).toBe(false);
    expect(judgementOfReview({ state: "expired", answer: null, answered_by: null })).toBeUndefined();
  });
});
