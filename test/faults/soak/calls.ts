import { setTimeout as pause } from "node:timers/promises";
import type { Client } from "../../../src/client/client.ts";
import { ApiProblem, EdgeUnreachable } from "../../../src/client/http/problem-errors.ts";
import { type Caller, openCaller } from "../../../src/client/work/caller.ts";
import type { CallReply } from "../../../src/core/queue/api.ts";
import type { Question } from "../queue/call-responder.ts";
import { Rng } from "../rng.ts";

/** The longest that a call may be given: only a failure takes it, however slow the machine and however often it kills. */
const LONG_MS = 120_000;
const SHORT_MS = 40;
/** Attempts of a call, see the docs of queues. */
const ALWAYS = 1_000;

interface Ended {
  readonly id: string;
  readonly question: Question;
  /** Of the first answer that is final; every later one has to be the same. */
  readonly outcome: CallReply | ApiProblem;
  readonly asked: number;
}

/** What became of all calls, and what is wrong with some of them. */
export interface CallsOutcome {
  readonly replies: number;
  /** Their time was over before anybody took them. */
  readonly late: number;
  /** Every responder that took them was killed. */
  readonly lost: number;
  /** Failed each time, as they were made to, or late. */
  readonly spoiled: number;
  /** Asked more than once. */
  readonly repeated: number;
  readonly wrong: readonly unknown[];
}

/**
 * Calls over two channels and over HTTP. A caller that gets no answer, or none in time, asks again under the same id; some
 * ask again although they were answered.
 */
export class Calls {
  readonly #client: () => Client;
  readonly #rng: Rng;
  readonly #ways: readonly [Caller | null, ...(Caller | null)[]];
  readonly #begun: Promise<Ended>[] = [];

  constructor({ url, token, client, seed }: { url: string; token: string; client: () => Client; seed: number }) {
    this.#client = client;
    this.#rng = new Rng(seed);
    this.#ways = [null, openCaller("asked", { url, token }), openCaller("asked", { url, token })];
  }

  /** Does not wait for the answer. */
  begin(n: number): void {
    const takesMs = this.#rng.pick([0, 0, 0, this.#rng.between(1, 40), 300]);
    this.#begin(`call-${n}`, { n, takesMs, fails: this.#rng.next() < 0.1 ? 1 : 0 });
  }

  /** It fails however often it is tried. */
  beginSpoiled(n: number): void {
    this.#begin(`spoiled-${n}`, { n, takesMs: 0, fails: ALWAYS });
  }

  /** Resolves when every call has ended. Reads what the queue keeps of each, and compares. */
  async ended(): Promise<CallsOutcome> {
    const all = await Promise.all(this.#begun);
    for (const way of this.#ways) way?.close();
    const count = { replies: 0, late: 0, lost: 0, spoiled: 0, repeated: 0 };
    const wrong: unknown[] = [];
    for (const { id, question, outcome, asked } of all) {
      if (asked > 1) count.repeated++;
      const problem = outcome instanceof ApiProblem ? outcome.problem : undefined;
      const isSpoiled = question.fails === ALWAYS;
      if (isSpoiled && (problem?.status === 502 || (problem?.status === 504 && asked > 1))) count.spoiled++;
      else if (problem?.status === 504 && asked > 1) count.late++;
      else if (problem?.status === 502 && / let its lease run out$/.test(String(problem.detail))) count.lost++;
      else if (!isSpoiled && !(outcome instanceof ApiProblem) && isReplyTo(outcome, question, id)) count.replies++;
      else wrong.push([id, question, textOf(outcome)]);
      const kept = await this.#client()
        .queues.reply("asked", id)
        .catch((error: unknown) => error);
      if (textOf(kept) !== textOf(outcome)) wrong.push([id, `kept: ${textOf(kept)}`, `answered: ${textOf(outcome)}`]);
    }
    return { ...count, wrong };
  }

  #begin(id: string, question: Question): void {
    const timeouts = [this.#rng.next() < 0.1 ? SHORT_MS : LONG_MS, LONG_MS];
    const ended = this.#ask(id, question, timeouts, this.#rng.next() < 0.1);
    // It is looked at in the end.
    ended.catch(() => undefined);
    this.#begun.push(ended);
  }

  async #ask(
    id: string,
    question: Question,
    [timeoutMs = LONG_MS, ...others]: number[],
    twice: boolean,
  ): Promise<Ended> {
    const outcome = await this.#askOnce(id, question, timeoutMs);
    // No answer, or none in time: once more under the same id.
    const isFinal =
      !(outcome instanceof Error) || (outcome instanceof ApiProblem && isEnd(outcome, others.length === 0));
    if (!isFinal) {
      await pause(50);
      const { asked, ...later } = await this.#ask(id, question, others, twice);
      return { ...later, asked: asked + 1 };
    }
    if (!twice) return { id, question, outcome, asked: 1 };
    const { asked, ...again } = await this.#ask(id, question, [LONG_MS], false);
    const mayFollow = outcome instanceof ApiProblem && outcome.problem.status === 504;
    if (!mayFollow && textOf(again.outcome) !== textOf(outcome))
      throw new Error(`${id} was answered ${textOf(outcome)} and then ${textOf(again.outcome)}`);
    return { ...again, asked: asked + 1 };
  }

  async #askOnce(id: string, question: Question, timeoutMs: number): Promise<CallReply | Error> {
    const way = this.#rng.pick(this.#ways);
    const options = { timeoutMs, correlationId: id };
    const answered =
      way === null
        ? this.#client().queues.call("asked", "oracle", "ECHO", question, options)
        : way.call("oracle", "ECHO", question, options);
    return answered.catch((error: unknown) => {
      if (error instanceof ApiProblem || error instanceof EdgeUnreachable) return error;
      throw error;
    });
  }
}

/** Of all answers only a time-out may be followed by another: the reply that comes too late is kept. */
function isEnd({ problem }: ApiProblem, isLast: boolean): boolean {
  return problem.status === 504 ? isLast : ![429, 503].includes(problem.status);
}

function isReplyTo(reply: CallReply, { n }: Question, id: string): boolean {
  return reply.correlation_id === id && JSON.stringify(reply.result) === JSON.stringify({ n, id });
}

function textOf(outcome: unknown): string {
  if (outcome instanceof ApiProblem) return `${outcome.problem.status} ${outcome.message}`;
  return outcome instanceof Error ? String(outcome) : JSON.stringify(outcome);
}
