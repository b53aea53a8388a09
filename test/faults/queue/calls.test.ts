import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { ApiProblem, EdgeUnreachable } from "../../../src/client/http/problem-errors.ts";
import { type Caller, openCaller } from "../../../src/client/work/caller.ts";
import type { CallReply } from "../../../src/core/queue/api.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { atOnce } from "../at-once.ts";
import { Rng } from "../rng.ts";
import type { Question } from "./call-responder.ts";

// `GANGLION_CALLS=20000 GANGLION_KILLS=40` is the long run.
const CALLS = Number(process.env.GANGLION_CALLS ?? 1_200);
const KILLS = Number(process.env.GANGLION_KILLS ?? 3);
const SEED = Number(process.env.GANGLION_SEED ?? 20_267);
/** Calls under way at a time. */
const AT_ONCE = 48;

/** The longest that a call may be given: only a failure takes it, however slow the machine and however often it kills. */
const LONG_MS = 300_000;

interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

interface Asked extends Stretch {
  readonly n: number;
  readonly id: string;
  readonly timeoutMs: number;
  readonly outcome: CallReply | Error;
}

test(`${CALLS} interleaved calls while the edge and responders are killed ${KILLS} times: each gets its own reply once, which stays readable, or a clear error (seed ${SEED})`, async () => {
  const rng = new Rng(SEED);
  let edge = await runEdge();
  const { stateDir, url, token } = edge;
  const port = Number(new URL(url).port);
  const client = edge.client();
  await client.queues.configure("asked", { max_attempts: 50, backoff_ms: 20, alert_depth: null, alert_failed: null });
  let responders = 0;
  const startResponder = async () => {
    const env = { QUEUE_URL: url, QUEUE_TOKEN: token, WORKER_NAME: `r${++responders}` };
    const running = new RunningProcess(["test/faults/queue/call-responder.ts"], { env });
    await running.line(/^answering$/);
    return running;
  };
  const team = [await startResponder(), await startResponder()];
  const callers = [1, 2, 3].map(() => openCaller("asked", { url, token }));

  const asked: Asked[] = [];
  let next = 0;
  let killing = true;
  const ask = async (seed: number) => {
    const own = new Rng(seed);
    while (next < CALLS || killing) {
      const n = next++;
      // Around the time within which a call is not written yet, and now and then far beyond it.
      const takesMs = own.pick([0, 0, 0, own.between(1, 40), own.between(15, 25), 300]);
      // A call has three attempts: where one fails and two are lost with their responders it has failed.
      const question = { n, takesMs, fails: own.next() < 0.1 ? 1 : 0 };
      const timeoutMs = own.next() < 0.05 ? 15 : LONG_MS;
      asked.push(await askOne(own.pick<Caller | null>([null, ...callers]), question, timeoutMs));
      // So that there are calls left for the last kill.
      if (next >= CALLS) await pause(20);
    }
    // Nothing is killed any more: this one has to be answered.
    asked.push(await askOne(own.pick<Caller | null>([null, ...callers]), { n: next++, takesMs: 0, fails: 0 }, LONG_MS));
  };
  const askOne = async (caller: Caller | null, question: Question, timeoutMs: number): Promise<Asked> => {
    const id = `call-${question.n}`;
    const fromMs = performance.now();
    const options = { timeoutMs, correlationId: id };
    const answered =
      caller === null
        ? client.queues.call("asked", "oracle", "ECHO", question, options)
        : caller.call("oracle", "ECHO", question, options);
    const outcome = await answered.catch((error: Error) => error);
    return { n: question.n, id, timeoutMs, outcome, fromMs, toMs: performance.now() };
  };
  const asking = Promise.all(Array.from({ length: AT_ONCE }, (_, place) => ask(SEED + 1 + place)));

  const killed = { edge: 0, responder: 0 };
  /** When somebody was killed and not back yet. */
  const away: (Stretch & { readonly edge: boolean })[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    await pause(rng.between(50, 900));
    const fromMs = performance.now();
    const isEdge = rng.next() < 0.7;
    if (isEdge) {
      await edge.process.killGroup();
      edge = await runEdge({ stateDir, port });
      killed.edge++;
    } else {
      const place = rng.between(0, team.length - 1);
      await team[place]?.killGroup();
      team[place] = await startResponder();
      killed.responder++;
    }
    away.push({ edge: isEdge, fromMs, toMs: performance.now() });
  }
  killing = false;
  await asking;
  for (const caller of callers) caller.close();

  const count = { replies: 0, late: 0, unreachable: 0, lost: 0 };
  const wrong: unknown[] = [];
  for (const one of asked) {
    const { n, id, timeoutMs, outcome } = one;
    const met = away.filter(({ fromMs, toMs }) => fromMs < one.toMs && one.fromMs < toMs);
    // An error has its reason: the edge was away, there was no time, or those who were at it were killed.
    if (outcome instanceof EdgeUnreachable && met.some(({ edge }) => edge)) count.unreachable++;
    else if (isProblem(outcome, 504) && timeoutMs < LONG_MS) count.late++;
    else if (isProblem(outcome, 502) && / let its lease run out$/.test(outcome.message) && met.length > 0) count.lost++;
    else if (outcome instanceof Error)
      wrong.push([id, timeoutMs, String(outcome), JSON.stringify(await client.queues.task("asked", id))]);
    else if (outcome.correlation_id !== id || !isReplyTo(outcome.result, n, id)) wrong.push([id, outcome]);
    else count.replies++;
  }
  expect(wrong).toEqual([]);

  // What was under way for nobody any more ends as well, and everything that was answered outlives one more crash.
  await expect
    .poll(async () => (await client.queues.status("asked")).depth, { timeout: 300_000, interval: 100 })
    .toBe(0);
  await expect
    .poll(async () => (await client.queues.status("asked")).running, { timeout: 300_000, interval: 100 })
    .toBe(0);
  await edge.process.killGroup();
  await runEdge({ stateDir, port });
  await atOnce(asked, 16, async ({ n, id, outcome }) => {
    const kept = await client.queues.reply("asked", id).catch((error: Error) => error);
    // What nobody waits for any more may never have come, or run out of time in the queue.
    if (outcome instanceof Error && [404, 502, 504].some((status) => isProblem(kept, status))) return;
    if (kept instanceof Error || !("result" in kept) || !isReplyTo(kept.result, n, id)) wrong.push([id, outcome, kept]);
    // The reply that was given is the one that is kept.
    else if (!(outcome instanceof Error)) expect(kept).toEqual(outcome);
  });
  expect(wrong).toEqual([]);
  expect(count.replies).toBeGreaterThanOrEqual(AT_ONCE);
  console.log(JSON.stringify({ asked: asked.length, ...count, killed }));
}, 3_600_000);

function isProblem(outcome: unknown, status: number): outcome is ApiProblem {
  return outcome instanceof ApiProblem && outcome.problem.status === status;
}

function isReplyTo(result: unknown, n: number, id: string): boolean {
  return JSON.stringify(result) === JSON.stringify({ n, id });
}
