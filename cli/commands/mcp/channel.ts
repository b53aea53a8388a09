import type { Client } from "../../../src/client/client.ts";
import { ApiProblem, EdgeUnreachable } from "../../../src/client/http/problem-errors.ts";
import { isTransient, pause } from "../../../src/client/http/retry.ts";
import type { McpMessage } from "../../../src/client/mcp.ts";
import { explain } from "../../failure.ts";

/** The capability by which a server may push into a session that runs; a preview of Claude Code. */
export const CHANNEL = "claude/channel";

export interface ChannelOptions {
  readonly client: Client;
  /** Patterns of signals that are pushed. */
  readonly signals: readonly string[];
  /** Queues and recipients whose new tasks are announced. */
  readonly tasks: readonly { readonly queue: string; readonly recipient: string }[];
  readonly write: (message: McpMessage) => void;
  readonly warn: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Before a queue that does not exist yet is looked for again, and a question is asked on. */
const AGAIN_MS = 5_000;
/** By so much the clock of the edge may be behind. */
const SKEW_MS = 5_000;

/** Pushes what happens into the session of the client. */
export class Channel {
  readonly #options: ChannelOptions;
  /** Questions whose end is waited for. A session that asks on under an id waits for one end. */
  readonly #awaited = new Set<string>();
  #begun = false;

  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  /** Begins to push; a second call does nothing. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    const { signals, tasks } = this.#options;
    if (signals.length > 0) this.#run("signals", () => this.#pushSignals());
    for (const { queue, recipient } of tasks)
      this.#run(`tasks of the queue ${queue}`, () => this.#announceTasks(queue, recipient));
  }

  /** Waits on for the reply to a question whose caller was told that it is pending, and pushes the reply. */
  awaitAnswer(queue: string, correlationId: string): void {
    this.#once(`${queue} ${correlationId}`, `the answer ${correlationId}`, () =>
      this.#pushAnswer(queue, correlationId),
    );
  }

  /** Waits on for the answer to a question to a person that was left open, and pushes how it ended, once. */
  awaitHuman(id: string): void {
    const { client, signal } = this.#options;
    this.#once(id, `the answer to ${id}`, async () => {
      while (!signal.aborted) {
        try {
          const question = await client.questions.wait(id, { signal });
          if (question.state === "open") continue;
          // The session may have got the end as the result of a call meanwhile.
          if (this.#awaited.has(id))
            this.#push("answer", JSON.stringify(question), { question: id, state: question.state });
          return;
        } catch (error) {
          if (!isTransient(error)) throw error;
          await pause(AGAIN_MS, signal);
        }
      }
    });
  }

  /** The session knows how the question to a person ended: nothing is pushed any more. */
  heardHuman(id: string): void {
    this.#awaited.delete(id);
  }

  #once(id: string, what: string, work: () => Promise<void>): void {
    if (this.#awaited.has(id)) return;
    this.#awaited.add(id);
    this.#run(what, () => work().finally(() => this.#awaited.delete(id)));
  }

  /** What fails for good is said once, on standard error: the session goes on without it. */
  #run(what: string, work: () => Promise<void>): void {
    const { signal, warn } = this.#options;
    work().catch((error: unknown) => {
      if (!signal.aborted) warn(`${what} are not pushed: ${explain(error).text}`);
    });
  }

  async #pushSignals(): Promise<void> {
    const { client, signals, signal } = this.#options;
    let after: number | undefined;
    await this.#untilAborted(async () => {
      // What comes while a stream cannot be opened is pushed when it is.
      after ??= (await client.signals({ limit: 1, order: "desc" })).signals[0]?.seq ?? 0;
      for await (const one of client.follow({ signals, signal, after })) {
        after = one.seq;
        const { id, source, timestamp, facts, cause } = one;
        const content = JSON.stringify({ signal: one.signal, id, source, timestamp, facts, ...(cause && { cause }) });
        this.#push("signal", content, { signal: one.signal, id });
      }
    }, isTransient);
  }

  async #announceTasks(queue: string, recipient: string): Promise<void> {
    const { client, signal } = this.#options;
    // A queue that begins later has events of before it is found. What is older than the session is no news.
    const sinceMs = Date.now() - SKEW_MS;
    // The queue begins with its first task.
    const passes = (error: unknown) => isTransient(error) || isNotFound(error);
    await this.#untilAborted(async () => {
      for await (const event of client.queues.follow(queue, { signal })) {
        if (event.event !== "queued" || ![recipient, "*"].includes(event.recipient)) continue;
        if (Date.parse(event.at) < sinceMs) continue;
        const { task_id, type } = event;
        const content =
          `The task ${task_id} (${type}) waits for ${event.recipient} in the queue ${queue}. Take it with take_task when ` +
          "you have finished what you are doing.";
        this.#push("task", content, { queue, task_id });
      }
    }, passes);
  }

  /** Follows again and again: a stream that has been open comes back by itself, one that could not be opened does not. */
  async #untilAborted(follow: () => Promise<void>, passes: (error: unknown) => boolean): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      try {
        await follow();
      } catch (error) {
        if (!passes(error)) throw error;
      }
      await pause(AGAIN_MS, signal);
    }
  }

  async #pushAnswer(queue: string, correlationId: string): Promise<void> {
    const { client, signal } = this.#options;
    const push = (content: string) => this.#push("answer", content, { queue, correlation_id: correlationId });
    while (!signal.aborted) {
      try {
        const reply = await client.queues.reply(queue, correlationId);
        if ("responder" in reply) return push(JSON.stringify(reply));
      } catch (error) {
        // 502 and 504 say how the question ended.
        if (!(error instanceof EdgeUnreachable) && !(error instanceof ApiProblem && isPassing(error.problem.status)))
          return push(`No answer: ${explain(error).text}`);
      }
      await pause(AGAIN_MS, signal);
    }
  }

  #push(kind: string, content: string, meta: Readonly<Record<string, string>>): void {
    this.#options.write({
      jsonrpc: "2.0",
      method: "notifications/claude/channel",
      params: { content, meta: { source: "ganglion", kind, ...meta } },
    });
  }
}

const isNotFound = (error: unknown) => error instanceof ApiProblem && error.problem.status === 404;
const isPassing = (status: number) => status === 429 || status === 503;
