import type { PlacementVariables } from "../../core/deployment/placement.ts";
import type { QuestionTerms } from "../../core/questions/settings.ts";
import type { Actor } from "../../core/questions/state.ts";
import {
  ACCEPT,
  CHECK_ATTEMPTS,
  CHECK_TYPE,
  CHECKS_QUEUE,
  type ProvedWork,
  REFUSE,
  reviewId,
} from "../../core/queue/accept.ts";
import type { EnqueueAnswer } from "../../core/queue/api.ts";
import type { AwaitedAnswer } from "../../core/queue/awaited-answer.ts";
import type { Entry } from "../../core/queue/entry.ts";
import type { NewTask } from "../../core/queue/task.ts";
import type { TaskAction, TaskActionAnswer } from "../../core/queue/task-action.ts";
import { logLine } from "../shell/log-line.ts";
import { RETRY_MS } from "../shell/outbox-relay.ts";
import { type Namespace, objectNamed } from "../shell/ports.ts";
import { type ProofMessage, ProofStore } from "./proof-store.ts";
import { asJson } from "./queue-signals.ts";

type Watched = { readonly over?: AwaitedAnswer } | { readonly full: number } | null;

/** Bindings to those who judge: the queue of checks, and people. */
export interface ProofBindings extends PlacementVariables {
  readonly PRIORITY_QUEUE: Namespace<{
    enqueue(tasks: readonly NewTask[]): Promise<EnqueueAnswer>;
    applyAction(action: TaskAction): Promise<TaskActionAnswer>;
  }>;
  readonly QUESTIONS: Namespace<{
    ask(
      id: string,
      terms: QuestionTerms,
      by: Actor,
    ): Promise<{ readonly question: unknown } | { readonly full: number } | { readonly other: true }>;
    watch(id: string, queue: string, taskId: string): Promise<Watched>;
    cancel(id: string, by: Actor): Promise<unknown>;
  }>;
}

interface ProofRelayOptions {
  readonly env: ProofBindings;
  readonly ecosystem: string;
  readonly queue: string;
  readonly sql: SqlStorage;
  readonly keepAlive: (work: Promise<void>) => void;
  readonly find: (taskId: string) => Entry | undefined;
  readonly payloadOf: (entry: Entry) => string;
  readonly wakeBy: (atMs: number) => void;
}

/** A question that expired is asked again: silence accepts nothing, and refuses nothing. */
const REVIEW_MS = 7 * 86_400_000;
const REMIND_MS = 86_400_000;
/** What of a result or evidence a question shows. */
const SHOWN_CHARS = 6_000;

/**
 * Tells those who judge, and queues how their tasks were judged. A message stays until its receiver has it, with an alarm
 * set; handed over twice it changes nothing: runs of checks and questions have ids, and a judgement names its proof.
 */
export class ProofRelay {
  readonly store: ProofStore;
  readonly #options: ProofRelayOptions;
  #running: Promise<void> | undefined;

  constructor(options: ProofRelayOptions) {
    this.#options = options;
    this.store = new ProofStore(options.sql);
    if (!this.store.empty) this.#soon();
  }

  /** To be called after each commit. */
  committed(): void {
    if (!this.store.takeFilled()) return;
    this.#soon();
    this.#options.keepAlive(this.run());
  }

  /** Something is to be said: after a crash before that, the alarm runs the relay again. */
  #soon(): void {
    this.#options.wakeBy(Date.now() + RETRY_MS);
  }

  /** Delivers until nothing is left that can be delivered. One run at a time; never throws. */
  run(): Promise<void> {
    this.#running ??= this.#deliver().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #deliver(): Promise<void> {
    const { store } = this;
    const { ecosystem, queue } = this.#options;
    let after = 0;
    // A receiver that does not answer holds up none of the others.
    for (let some = store.next(after); some.length > 0; some = store.next(after)) {
      for (const { number, message } of some) {
        after = number;
        try {
          if (await this.#send(message)) store.forget(number);
        } catch (error) {
          logLine("warn", "proof-not-told", { ecosystem, object: "queue", queue, kind: message.kind, error });
        }
      }
    }
    if (!store.empty) this.#soon();
  }

  /** @returns whether the receiver has it, or nobody needs it any more */
  #send(message: ProofMessage): Promise<boolean> {
    switch (message.kind) {
      case "ask":
        return this.#ask(message);
      case "withdraw":
        return this.#withdraw(message);
      case "judge": {
        const { queue, task: taskId, proof, judgement } = message;
        return this.#act(queue, { action: "judge", taskId, proof, judgement });
      }
    }
  }

  async #ask({ task, proof, round }: Extract<ProofMessage, { kind: "ask" }>): Promise<boolean> {
    const { env, ecosystem, queue, find } = this.#options;
    const entry = find(task);
    if (entry?.proof?.id !== proof || entry.accept === undefined) return true;
    const { accept } = entry;
    const work = entry.work ?? this.store.work(entry.seq) ?? { resultJson: null, evidenceJson: null };
    if (accept.check !== undefined) {
      const run = this.#runOf(entry, accept.check, proof, work);
      const answer = await objectNamed(env.PRIORITY_QUEUE, `${ecosystem}/${CHECKS_QUEUE}`, env).enqueue([run]);
      return "tasks" in answer;
    }
    if (accept.reviewer === undefined) return true;
    const id = reviewId(proof, round);
    const questions = objectNamed(env.QUESTIONS, ecosystem, env);
    const asked = await questions.ask(id, this.#questionOf(entry, accept.reviewer, work), this.#self);
    if (!("question" in asked)) return false;
    const watched = await questions.watch(id, queue, task);
    if (watched === null || "full" in watched) return false;
    return watched.over === undefined || this.#act(queue, { action: "answer", taskId: task, answer: watched.over });
  }

  async #withdraw({ by, proof, round }: Extract<ProofMessage, { kind: "withdraw" }>): Promise<boolean> {
    const { env, ecosystem } = this.#options;
    if (by === "check") return this.#act(CHECKS_QUEUE, { action: "cancel", taskId: proof });
    await objectNamed(env.QUESTIONS, ecosystem, env).cancel(reviewId(proof, round), this.#self);
    return true;
  }

  async #act(queue: string, action: TaskAction): Promise<boolean> {
    const { env, ecosystem } = this.#options;
    const answer = await objectNamed(env.PRIORITY_QUEUE, `${ecosystem}/${queue}`, env).applyAction(action);
    // A conflict is an answer: the task is known no more, or was judged.
    return !("overloaded" in answer);
  }

  get #self(): Actor {
    return { name: `queue/${this.#options.queue}`, id: "", way: "rule" };
  }

  #runOf(entry: Entry, check: string, proof: string, work: ProvedWork): NewTask {
    const { queue } = this.#options;
    return {
      taskId: proof,
      recipient: check,
      type: CHECK_TYPE,
      payloadJson: JSON.stringify({ check, ...this.#about(entry, work) }),
      // The way back. Nobody else puts tasks into this queue, so it can be believed.
      sender: `${queue}/${entry.taskId}`,
      priority: entry.priority,
      delayMs: 0,
      maxAttempts: CHECK_ATTEMPTS,
      timeoutMs: null,
      deadlineMs: null,
      caller: null,
      cause: entry.cause,
      ...(entry.trace === undefined ? {} : { trace: entry.trace }),
    };
  }

  #about(entry: Entry, { resultJson, evidenceJson }: ProvedWork) {
    const { taskId, recipient, type, sender, attempt, proof } = entry;
    return {
      task: {
        queue: this.#options.queue,
        task_id: taskId,
        recipient,
        type,
        sender,
        attempt,
        worker: proof?.worker,
        payload: asJson(this.#options.payloadOf(entry)),
      },
      result: resultJson === null ? null : asJson(resultJson),
      evidence: evidenceJson === null ? null : asJson(evidenceJson),
    };
  }

  #questionOf(entry: Entry, reviewer: string, work: ProvedWork): QuestionTerms {
    const { task, result, evidence } = this.#about(entry, work);
    const where = `ganglion tasks show ${entry.taskId} --queue ${task.queue}`;
    const shown = (value: unknown) =>
      JSON.stringify(value).length <= SHOWN_CHARS ? value : `too large to be shown: ${where}`;
    const { payload: _, ...named } = task;
    return {
      question:
        `Is the task ${entry.taskId} (${entry.type}) of the queue ${task.queue} done, as ${task.worker} says?`.slice(
          0,
          4_000,
        ),
      recipient: reviewer,
      options: [ACCEPT, REFUSE],
      contextJson: JSON.stringify({ task: named, result: shown(result), evidence: shown(evidence) }),
      expiresMs: Date.now() + REVIEW_MS,
      onTimeout: null,
      remindMs: REMIND_MS,
      escalateTo: null,
      escalateAtMs: null,
      cause: entry.cause?.id ?? null,
      permission: null,
    };
  }
}
