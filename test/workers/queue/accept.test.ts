import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { CHECKS_QUEUE } from "../../../src/core/queue/accept.ts";
import { questions } from "../../../src/workers/bindings/objects.ts";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { crash } from "../crash.ts";
import { patience } from "../patience.ts";
import { aTask, type LeasedTask, openChannel, queueOver, queueStub } from "./queue-under-test.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** A queue with tasks that must prove that they are done, and the queue of the runs of checks. */
function proving() {
  const eco = freshEcosystem();
  const queue = queueOver(eco);
  const checks = queueOver(eco, CHECKS_QUEUE);
  return {
    eco,
    queue,
    checks,
    async report(taskId: string, more: object = {}): Promise<{ lease: string; answer: Response }> {
      const [task] = await queue.lease("coder");
      expect(task?.task_id).toBe(taskId);
      const lease = task?.lease_id ?? "";
      return { lease, answer: await queue.act(taskId, "complete", { lease_id: lease, ...more }) };
    },
    /** A host takes the next run of a check. */
    async run(check: string): Promise<LeasedTask> {
      const [run] = await checks.lease(check, { wait_ms: 5_000, worker: "gpu-01" });
      if (run === undefined) throw new Error("no run came");
      return run;
    },
    end: (run: LeasedTask, exit_code: number | null, output = "") =>
      checks.act(run.task_id, "complete", {
        lease_id: run.lease_id,
        result: { host: "gpu-01", exit_code, ending: `ended with status ${exit_code}`, output, duration_ms: 12 },
      }),
    until: (taskId: string, status: string) =>
      vi.waitFor(async () => {
        const task = await queue.task(taskId);
        expect(task.status).toBe(status);
        return task;
      }),
  };
}
const checked = (more: object = {}) => aTask({ task_id: "a", accept: { check: "tests" }, ...more });

describe("a task with a check", () => {
  it("waits to be judged when its worker reports it, and is complete when the check has ended with 0", async () => {
    const { queue, report, run, end, until } = proving();
    await queue.put(checked());
    const { answer, lease } = await report("a", { result: { commit: "4711" }, evidence: { log: "all good" } });
    expect(await answer.json()).toEqual({ task_id: "a", status: "verifying" });
    expect(await queue.task("a")).toMatchObject({
      status: "verifying",
      verifying: { worker: "coder", why: "no host that is connected has the check tests" },
    });
    const again = await queue.act("a", "complete", { lease_id: lease, result: "another" });
    expect(await again.json()).toEqual({ task_id: "a", status: "verifying" });
    const one = await run("tests");
    expect(one.payload).toMatchObject({
      check: "tests",
      task: { queue: "work", task_id: "a", attempt: 1, worker: "coder", payload: { n: 1 } },
      result: { commit: "4711" },
      evidence: { log: "all good" },
    });
    expect((await end(one, 0, "12 tests passed")).status).toBe(200);
    expect(await until("a", "complete")).toMatchObject({
      result: { commit: "4711" },
      verdict: {
        accepted: true,
        by: "check",
        name: "tests",
        host: "gpu-01",
        exit_code: 0,
        output: "12 tests passed",
        attempt: 1,
      },
    });
    const late = await queue.act("a", "complete", { lease_id: lease });
    expect(await late.json()).toEqual({ task_id: "a", status: "complete" });
  });

  it("goes back with the reason when the check refuses it, and is dead when its attempts are over", async () => {
    const { eco, queue, report, run, end, until } = proving();
    await queue.configure({ backoff_ms: 1 });
    await queue.put(checked({ max_attempts: 2 }));
    await report("a");
    await end(await run("tests"), 1, "2 tests failed\n");
    await vi.waitFor(async () => expect((await queue.task("a")).status).toBe("queued"));
    const [second] = await queue.lease("coder", { wait_ms: 5_000 });
    expect(second).toMatchObject({
      attempt: 2,
      verdict: { accepted: false, reason: "the check tests ended with status 1 on gpu-01: 2 tests failed" },
    });
    await queue.act("a", "complete", { lease_id: second?.lease_id });
    await end(await run("tests"), 1);
    expect((await until("a", "failed")).error).toBe("not accepted: the check tests ended with status 1 on gpu-01");
    await vi.waitFor(async () => {
      const { dead_letters } = await (await call(`/v1/${eco}/dead-letters`)).json<{
        dead_letters: { kind: string }[];
      }>();
      // That the check failed is no matter of its own.
      expect(dead_letters.map(({ kind }) => kind)).toEqual(["task"]);
    });
  });

  it("is never complete without its proof, whatever a lying worker sends, and holds up nobody", async () => {
    const { queue, until } = proving();
    await queue.put([checked(), aTask({ task_id: "b" })]);
    const [first] = await queue.lease("coder");
    const lease_id = first?.lease_id;
    for (const result of [{ exit_code: 0 }, { accepted: true }, { verdict: { accepted: true } }])
      await queue.act("a", "complete", { lease_id, result, evidence: { exit_code: 0 } });
    for (const action of ["complete", "fail", "extend", "release"])
      expect((await queue.act("a", action, { lease_id: "guessed", error: "x" })).status).not.toBe(500);
    // The slow check keeps no worker from the next task.
    const [second] = await queue.lease("coder");
    expect(second?.task_id).toBe("b");
    await queue.act("b", "complete", { lease_id: second?.lease_id });
    expect((await until("b", "complete")).status).toBe("complete");
    expect(await queue.status()).toMatchObject({ depth: 0, running: 0, verifying: 1 });
    expect((await queue.task("a")).status).toBe("verifying");
  });

  it("is judged by the last run alone: a host that was lost during the check changes nothing when it comes back", async () => {
    const { queue, checks, report, run, end, until } = proving();
    await queue.put(checked());
    await report("a");
    const lost = await run("tests");
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 31_000 });
    const second = await run("tests");
    expect([second.task_id, second.attempt]).toEqual([lost.task_id, 2]);
    expect((await end(lost, 0)).status).toBe(409);
    expect((await queue.task("a")).status).toBe("verifying");
    await end(second, 3);
    await vi.waitFor(async () => expect((await queue.task("a")).status).toBe("queued"));
    expect((await end(second, 0)).status).toBe(200);
    expect((await checks.task(second.task_id)).status).toBe("complete");
    expect((await queue.task("a")).verdict).toMatchObject({ accepted: false, exit_code: 3 });
    expect((await until("a", "queued")).status).toBe("queued");
  });

  it("is refused when no host gets to the end of the check in three runs", async () => {
    const { eco, queue, report, run } = proving();
    await queue.put(checked());
    await report("a");
    for (let n = 1; n <= 3; n++) {
      expect((await run("tests")).attempt).toBe(n);
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 31_000 });
    }
    await runDurableObjectAlarm(queueStub(eco, CHECKS_QUEUE));
    await vi.waitFor(async () =>
      expect((await queue.task("a")).verdict).toMatchObject({
        accepted: false,
        reason: "the check tests could not be run: gpu-01 let its lease run out",
      }),
    );
  });

  it("waits through a crash of every part, and what was to be told is told again", async () => {
    const { eco, queue, report, run, end, until } = proving();
    await queue.put(checked());
    await report("a", { result: 7 });
    await crash(queueStub(eco));
    const one = await run("tests");
    await crash(queueStub(eco, CHECKS_QUEUE));
    await crash(queueStub(eco));
    await end(one, 0);
    await crash(queueStub(eco, CHECKS_QUEUE));
    await runDurableObjectAlarm(queueStub(eco, CHECKS_QUEUE));
    expect(await until("a", "complete")).toMatchObject({ result: 7 });
  });

  it("leaves its judgement in the log, with the signal that led to the task as its cause", async () => {
    const { eco, queue, report, run, end, until } = proving();
    await queue.put(checked({ cause: "s1", depth: 2 }));
    await report("a", { evidence: { commit: "4f2a" } });
    await end(await run("tests"), 0, "fine");
    await until("a", "complete");
    await vi.waitFor(async () => {
      const { signals } = await (await call(`/v1/${eco}/signals`)).json<{ signals: { signal: string }[] }>();
      const found = signals.find(({ signal }) => signal === "Q_TASK_VERIFIED");
      expect(found).toMatchObject({
        cause: "s1",
        facts: {
          queue: "work",
          task_id: "a",
          accepted: true,
          by: "check",
          exit_code: 0,
          output: "fine",
          evidence: { commit: "4f2a" },
        },
      });
    }, patience);
  });

  it("is named in the status of its queue and in the overview, with whether any host can run its check", async () => {
    const { eco, queue, checks, report } = proving();
    await queue.put([checked(), aTask({ task_id: "b", accept: { reviewer: "ops" } })]);
    await report("a");
    await report("b");
    const review = { accept: { reviewer: "ops" }, tasks: 1, why: "waits for ops to accept or refuse it" };
    const check = { accept: { check: "tests" }, task_id: "a", tasks: 1 };
    const unjudged = [{ ...check, why: "no host that is connected has the check tests" }, review];
    expect(await queue.status()).toMatchObject({ verifying: 2, unjudged });
    const { queues } = await (await call(`/v1/${eco}/overview`)).json<{ queues: { queue: string }[] }>();
    expect(queues.find((one) => one.queue === "work")).toMatchObject({ ready: 0, verifying: 2, unjudged });
    // A host with the check that has no room for another run.
    const host = await openChannel(eco, "gpu-01", CHECKS_QUEUE);
    host.send({ type: "ready", recipient: "other", credit: 1, lease_ms: 30_000 });
    host.send({ type: "ready", recipient: "tests", credit: 1, lease_ms: 30_000 });
    await vi.waitFor(async () => expect((await checks.status()).running).toBe(1));
    host.send({ type: "ready", recipient: "tests", credit: 2, lease_ms: 30_000 });
    await vi.waitFor(async () =>
      expect((await queue.status()).unjudged).toMatchObject([
        { ...check, why: "waits for the check tests, which 1 connected host has" },
        review,
      ]),
    );
  });

  it("that is cancelled while it waits takes the run of its check with it", async () => {
    const { queue, checks, report, run, end } = proving();
    await queue.put(checked());
    await report("a");
    const one = await run("tests");
    expect((await queue.act("a", "cancel")).status).toBe(200);
    await vi.waitFor(async () => expect((await checks.task(one.task_id)).outcome).toBe("cancelled"));
    expect((await end(one, 0)).status).toBe(409);
    expect((await queue.task("a")).outcome).toBe("cancelled");
  });

  it("needs somebody after five minutes without a host, and says why", async () => {
    const { eco, queue, report } = proving();
    await queue.put(checked());
    await report("a");
    const items = async () =>
      (await (await call(`/v1/${eco}/attention`)).json<{ items: { kind: string; why: string }[] }>()).items;
    expect((await items()).filter(({ kind }) => kind === "tasks_unjudged")).toEqual([]);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 300_000 });
    expect((await items()).find(({ kind }) => kind === "tasks_unjudged")?.why).toBe(
      "no host that is connected has the check tests",
    );
  });
});

describe("the queue of the runs of checks", () => {
  it("takes no task from callers, and gives none to a worker, who would judge its own work", async () => {
    const { eco, queue, checks, report } = proving();
    await queue.put(checked());
    await report("a");
    expect((await problemOf(await checks.put(aTask()))).status).toBe(403);
    const base = checks.base;
    const refused = await post(`${base}/calls`, { recipient: "tests", type: "T", payload: 1 });
    expect([refused.status, await refused.text()]).toEqual([403, expect.any(String)]);
    const worker = await makeToken(eco, ["tasks:work", "tasks:write", "tasks:read"]);
    const bound = await makeToken(eco, ["tasks:work", "signals:read", "signals:write"], { recipients: ["coder"] });
    for (const { token } of [worker, bound]) {
      expect((await post(`${base}/lease`, { recipient: "tests" }, { token })).status).toBe(403);
      expect((await post(`${base}/lease`, { recipient: "*" }, { token })).status).toBe(403);
      await expect(openChannel(eco, "w", CHECKS_QUEUE, token)).rejects.toThrow("403");
    }
    const agent = await makeToken(eco, ["tasks:work", "signals:read", "signals:write"]);
    expect((await post(`${base}/lease`, { recipient: "tests" }, { token: agent.token })).status).toBe(200);
  });
});

describe("a task with a rule", () => {
  const ruled = (rule: string, more: object = {}) => aTask({ task_id: "a", accept: { rule }, ...more });

  it("is complete at once where the rule is true for task, result and evidence", async () => {
    const { queue, report } = proving();
    await queue.put(ruled("result.passed >= 10 && evidence.by == task.worker && task.payload.n == 1"));
    const { answer } = await report("a", { result: { passed: 12 }, evidence: { by: "coder" } });
    expect(await answer.json()).toEqual({ task_id: "a", status: "complete" });
    expect(await queue.task("a")).toMatchObject({ result: { passed: 12 }, verdict: { accepted: true, by: "rule" } });
  });

  for (const [what, rule, reason] of [
    ["is false", "result.passed >= 10", "its rule is false: result.passed >= 10"],
    ["cannot be evaluated", "result.missing > 1", "its rule cannot be evaluated: "],
    [
      "takes too many steps",
      `[${"1,".repeat(60)}1].all(a, [${"1,".repeat(60)}1].all(b, [${"1,".repeat(60)}1].all(c, a + b + c > 0)))`,
      "its rule cannot be evaluated: more than",
    ],
  ] as const)
    it(`goes back with the reason where the rule ${what}`, async () => {
      const { queue, report } = proving();
      await queue.put(ruled(rule));
      const { answer, lease } = await report("a", { result: { passed: 3 } });
      expect(await answer.json()).toEqual({ task_id: "a", status: "queued" });
      const task = await queue.task("a");
      expect((task.verdict as { reason: string }).reason).toContain(reason);
      expect(await (await queue.act("a", "complete", { lease_id: lease })).json()).toEqual({
        task_id: "a",
        status: "queued",
      });
    });

  it("is refused when it is queued with an expression that cannot be compiled, and names the field", async () => {
    const { queue } = proving();
    for (const accept of [
      { rule: "result." },
      { rule: "result.matches('(a+)+')" },
      { rule: "1 + 1" },
      { rule: "signal.x == 1" },
    ]) {
      const refusal = await queue.put(aTask({ accept }));
      expect([refusal.status, JSON.stringify(await refusal.json())]).toEqual([
        422,
        expect.stringContaining("/accept/rule"),
      ]);
    }
    for (const accept of [
      {},
      { check: "a", rule: "true" },
      { check: "../x" },
      { command: "rm -rf /" },
      { check: ["sh"] },
      { reviewer: "" },
    ])
      expect((await queue.put(aTask({ accept }))).status).toBe(422);
  });
});

interface Asked {
  readonly id: string;
  readonly recipient: string;
  readonly options: readonly string[];
  readonly context: unknown;
}

describe("a task with a reviewer", () => {
  const reviewed = () => aTask({ task_id: "a", accept: { reviewer: "ops" } });
  const questionOf = (eco: string) =>
    vi.waitFor(async () => {
      const { questions: asked } = await (await call(`/v1/${eco}/questions?state=open`)).json<{ questions: Asked[] }>();
      expect(asked).toHaveLength(1);
      return asked[0] as Asked;
    });

  it("asks the person, and is complete when that person accepts it, with who and when", async () => {
    const { eco, queue, report, until } = proving();
    await queue.put(reviewed());
    await report("a", { result: { page: 3 } });
    const question = await questionOf(eco);
    expect(question).toMatchObject({
      recipient: "ops",
      options: ["accept", "refuse"],
      context: { result: { page: 3 } },
    });
    await post(`/v1/${eco}/questions/${question.id}/answer`, { answer: "accept" });
    const { verdict } = (await until("a", "complete")) as { verdict: { name: string; at: string } };
    expect(verdict).toMatchObject({ accepted: true, by: "reviewer", name: expect.any(String), at: expect.any(String) });
  });

  it("goes back with what the person says when that person refuses it", async () => {
    const { eco, queue, report } = proving();
    await queue.put(reviewed());
    await report("a");
    const question = await questionOf(eco);
    await post(`/v1/${eco}/questions/${question.id}/answer`, { answer: "refuse", comment: "the title is wrong" });
    await vi.waitFor(async () => expect((await queue.task("a")).status).toBe("queued"));
    expect(((await queue.task("a")).verdict as { reason: string }).reason).toContain("refused it: the title is wrong");
  });

  it("asks again when the question expires, since silence is no answer", async () => {
    const { eco, queue, report } = proving();
    await queue.put(reviewed());
    await report("a");
    const first = await questionOf(eco);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 8 * 86_400_000 });
    await call(`/v1/${eco}/questions/${first.id}`);
    await runDurableObjectAlarm(questions(env, eco));
    const second = await questionOf(eco);
    expect(second.id).not.toBe(first.id);
    expect((await queue.task("a")).status).toBe("verifying");
  });
});
