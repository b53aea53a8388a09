import { createHash } from "node:crypto";
import { createClient } from "../../src/client/client.ts";
import type { TaskContext } from "../../src/client/work/task-handler.ts";
import { TaskRefused, type Worker, work } from "../../src/client/work/worker.ts";
import { AnalysisAnswer, PatternsAnswer } from "../../src/core/intelligence/answer.ts";
import { CALL_TYPES } from "../../src/core/intelligence/call-types.ts";
import { type RequestEvent, readRequest, type WrittenEvent } from "../../src/core/intelligence/envelope.ts";
import { type CodeRequest, requestOf } from "../../src/core/intelligence/request.ts";
import type { Topics } from "../../src/core/intelligence/topics.ts";
import type { LeasedTask } from "../../src/core/queue/api.ts";
import { traceOf } from "../../src/core/signals/trace.ts";
import { CurrentReport } from "../base/current-report.ts";
import type { Logger } from "../base/log.ts";
import type { Report, ReportingService } from "../base/service.ts";
import { type AnswerHead, completedEvent, failedEvent, summaryEvent } from "./answer-event.ts";
import type { AnsweredRequest, AnswerOutcome } from "./answer-log.ts";
import type { HostAnswer } from "./answer-request.ts";
import type { IndexClient } from "./index-client.ts";
import { mergeParts, type Part, partOf } from "./merge-hosts.ts";
import { RequestFailed } from "./request-failed.ts";

export interface ResponderOptions {
  readonly url: string;
  readonly token: () => string;
  readonly ecosystem: string;
  readonly hostId: string;
  readonly queue: string;
  readonly topics: Topics;
  readonly index: Pick<IndexClient, "ask" | "state" | "start" | "stop">;
  readonly now: () => number;
  readonly log: Logger;
  /** Called with each answer, for the metrics and the log. */
  readonly onAnswer: (operation: string, outcome: AnswerOutcome, ms: number, request?: AnsweredRequest) => void;
}

/** How long a request waits after its host was killed. */
const LEASE_MS = 10_000;
const CONCURRENCY = 16;
/** Longest wait for another host's part of an answer. */
const PART_MS = 4_000;
const STOP_MS = 15_000;

/**
 * Answers requests about code. A request comes as a call, or as a signal that {@link RequestSignals} has put into the same
 * queue: the queue gives each to one host, and to another one when that host dies.
 */
export class Responder implements ReportingService {
  readonly name = "intelligence";
  readonly stopMs = STOP_MS;
  readonly #options: ResponderOptions;
  readonly #report = new CurrentReport({
    name: "intelligence",
    state: "off",
    detail: "not started",
    needsEdge: true,
  });
  readonly #recording = new Set<Promise<void>>();
  #worker: Worker | undefined;
  #running = false;
  #connected = false;
  #problem = "connecting";

  constructor(options: ResponderOptions) {
    this.#options = options;
  }

  report(): Report {
    return this.#report.value;
  }

  onChange(listener: () => void): () => void {
    return this.#report.onChange(listener);
  }

  /** Call it when the state of the index has changed. */
  refresh(): void {
    const { state } = this.#options.index;
    if (!this.#running || state?.ready !== true) return;
    if (this.#worker === undefined) this.#open();
    if (!this.#connected) this.#report.set("failing", this.#problem);
    // Counts that change with each file would be sent to the edge each time.
    else if (state.settled && state.roots === 0) this.#report.set("absent", "none of the code roots is there");
    else this.#report.set("live", `answers about ${state.roots} code roots`);
  }

  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    this.#report.set("starting", "reading the code roots");
    this.#options.index.start();
    this.refresh();
  }

  async stop(): Promise<void> {
    this.#running = false;
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.stop();
    await Promise.all(this.#recording);
    await this.#options.index.stop();
    this.#report.set("off", "stopped");
  }

  /** Takes requests from now on. Before the index is ready, other hosts know more. */
  #open(): void {
    const { url, token, ecosystem, hostId, queue, log } = this.#options;
    this.#worker = work(queue, hostId, (task, context) => this.#handle(task, context), {
      url,
      token,
      ecosystem,
      worker: hostId,
      concurrency: CONCURRENCY,
      leaseMs: LEASE_MS,
      onRemark: (text) => log.warn(`intelligence: ${text}`),
      onConnection: (error) => {
        this.#connected = error === null;
        this.#problem = error instanceof Error ? error.message : "connecting";
        this.refresh();
      },
    });
  }

  #handle(task: LeasedTask, { signal }: TaskContext): unknown {
    const { topics, hostId, index } = this.#options;
    switch (task.type) {
      case topics.request:
        return this.#answer(task, signal);
      case CALL_TYPES.part:
        return this.#ownAnswer(requestOf(this.#read(task).payload));
      case CALL_TYPES.health:
        return { host: hostId, ...index.state };
      default: {
        const known = [topics.request, ...Object.values(CALL_TYPES)].join(", ");
        throw new TaskRefused(`${hostId} does not answer ${task.type}: it answers ${known}`);
      }
    }
  }

  #read(task: LeasedTask): RequestEvent {
    const read = readRequest(task.payload);
    if (read.ok) return read.request;
    throw new TaskRefused(
      "message" in read ? read.message : `the event type ${JSON.stringify(read.unknownType)} is unknown`,
    );
  }

  async #answer(task: LeasedTask, signal: AbortSignal): Promise<WrittenEvent> {
    const { now } = this.#options;
    const startMs = now();
    const read = readRequest(task.payload);
    if (!read.ok && "unknownType" in read) {
      this.#options.onAnswer("unknown", "refused", 0);
      throw new TaskRefused(
        `the event type ${JSON.stringify(read.unknownType)} is unknown: it is no request about code`,
      );
    }
    const head: AnswerHead = {
      request: read.request,
      fallbackId: task.correlation_id ?? task.cause ?? task.task_id,
      host: this.#options.hostId,
      nowMs: startMs,
    };
    const request = read.ok ? requestOf(read.request.payload) : undefined;
    const event = await this.#eventFor(request, read.ok ? undefined : read.message, task, head, startMs);
    if (!signal.aborted) await this.#record(event, task);
    return event;
  }

  async #eventFor(
    request: CodeRequest | undefined,
    mistake: string | undefined,
    task: LeasedTask,
    head: AnswerHead,
    startMs: number,
  ): Promise<WrittenEvent> {
    const { now, onAnswer, log } = this.#options;
    const failed = (error: unknown, operation: string, sourcePath: string) => {
      const processingMs = now() - startMs;
      onAnswer(operation, "failed", processingMs, head.request);
      return failedEvent(error, { operation, sourcePath, retries: task.attempt - 1, processingMs }, head);
    };
    if (request === undefined)
      return failed(new RequestFailed("INVALID_INPUT", mistake ?? "the request cannot be read"), "", "");
    try {
      const answer = request.allHosts ? await this.#answerOfAll(task, request) : await this.#ownAnswer(request);
      onAnswer(request.operation, "completed", now() - startMs, head.request);
      return completedEvent(answer, head);
    } catch (error) {
      if (!(error instanceof RequestFailed)) log.error({ err: error }, "intelligence: a request could not be answered");
      return failed(error, request.operation, request.sourcePath);
    }
  }

  async #ownAnswer(request: CodeRequest): Promise<HostAnswer> {
    const { hostId: host, index } = this.#options;
    const answer = await index.ask(request);
    const read = PatternsAnswer.safeParse(answer);
    if (!read.success) return { ...answer, host };
    return { ...read.data, host, patterns: read.data.patterns.map((pattern) => ({ ...pattern, host })) };
  }

  /** Asks every host that has code roots, and merges. An analysis is about one file: the first host that has it answers. */
  async #answerOfAll(task: LeasedTask, request: CodeRequest): Promise<HostAnswer> {
    const { hostId, log } = this.#options;
    if (request.operation !== "PATTERN_EXTRACTION") return this.#firstAnswer(task, request);
    const own = this.#ownAnswer(partOf(request)).then(
      (answer): Part => ({ host: hostId, answer: PatternsAnswer.parse(answer) }),
    );
    let others: string[] = [];
    try {
      others = await this.#others();
    } catch (error) {
      log.warn({ err: error }, "intelligence: the other hosts are not known; give the token the scope tasks:read");
    }
    const parts = await Promise.all([own, ...others.map((host) => this.#partOf(host, task, request))]);
    return mergeParts(parts, request);
  }

  async #firstAnswer(task: LeasedTask, request: CodeRequest): Promise<HostAnswer> {
    try {
      return await this.#ownAnswer(request);
    } catch (error) {
      if (!(error instanceof RequestFailed) || error.code !== "INVALID_INPUT") throw error;
      for (const host of await this.#others()) {
        const answer = AnalysisAnswer.safeParse(await this.#call(host, task, request).catch(() => undefined));
        if (answer.success) return answer.data;
      }
      throw error;
    }
  }

  async #others(): Promise<string[]> {
    const { hostId, queue } = this.#options;
    const { workers } = await this.#client.queues.status(queue);
    return Object.keys(workers).filter((host) => host !== hostId && host !== "*");
  }

  async #partOf(host: string, task: LeasedTask, request: CodeRequest): Promise<Part> {
    try {
      return { host, answer: PatternsAnswer.parse(await this.#call(host, task, request)) };
    } catch (error) {
      return { host, error: (error as Error).message };
    }
  }

  async #call(host: string, task: LeasedTask, request: CodeRequest): Promise<unknown> {
    const { queue, hostId } = this.#options;
    const { limit } = partOf(request);
    const { payload } = this.#read(task);
    const options = { ...payload.options, all_hosts: false, offset: 0, limit };
    const reply = await this.#client.queues.call(
      queue,
      host,
      CALL_TYPES.part,
      { ...payload, options },
      {
        timeoutMs: PART_MS,
        sender: hostId,
        requireResponder: true,
      },
    );
    return reply.result;
  }

  /**
   * Writes the answer into the log, under an id made of the request's: a request that two hosts have answered, because the
   * first one died before the queue knew, is in the log once. Of a call, whose caller has the answer, the log gets a summary.
   */
  async #record(event: WrittenEvent, task: LeasedTask): Promise<void> {
    const isCall = task.correlation_id !== undefined;
    const written = this.#emit(isCall ? summaryEvent(event) : event, task);
    if (!isCall) return written;
    // The caller does not wait for it.
    const recording = written
      .catch((error: unknown) => this.#options.log.warn({ err: error }, "intelligence: an answer is not in the log"))
      .finally(() => this.#recording.delete(recording));
    this.#recording.add(recording);
  }

  async #emit(event: WrittenEvent, task: LeasedTask): Promise<void> {
    const { topics, hostId } = this.#options;
    const about = task.cause ?? task.task_id;
    const id = `${about.replaceAll("/", "~1")}.answer`;
    await this.#client.emit({
      id: id.length <= 256 ? id : createHash("sha256").update(id).digest("hex"),
      signal: event.event_type.toLowerCase().includes("failed") ? topics.failed : topics.completed,
      source: `intelligence/${hostId}`,
      facts: { ...event },
      ...(task.cause !== undefined && { cause: task.cause, depth: task.depth ?? 1 }),
      trace: traceOf(id, { id: about, trace: task.trace }),
    });
  }

  get #client() {
    const { url, token, ecosystem } = this.#options;
    return createClient({ url, token: token(), ecosystem });
  }
}
