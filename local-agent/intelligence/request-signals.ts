import { createClient } from "../../src/client/client.ts";
import { ApiProblem } from "../../src/client/http/problem-errors.ts";
import { readRequest } from "../../src/core/intelligence/envelope.ts";
import type { Signal } from "../../src/core/signals/signal.ts";
import { readSignalLine } from "../../src/core/signals/signal-line.ts";
import type { Logger } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import type { Inbox } from "../store/inbox.ts";
import { type InboxDeadLetters, InboxReader } from "../store/inbox-reader.ts";

export const REQUESTS_SINK = "intelligence";

export interface RequestSignalsOptions {
  readonly url: string;
  readonly token: () => string;
  readonly ecosystem: string;
  readonly hostId: string;
  readonly queue: string;
  /** Name of the signal of a request. */
  readonly topic: string;
  readonly inbox: Inbox;
  readonly deadLetters: InboxDeadLetters;
  readonly now: () => number;
  readonly log: Logger;
  /** Called with each signal that is not answered. */
  readonly onDropped: (reason: "unknown_type" | "too_old") => void;
}

/** An asker has given up by then. A host that was away must not answer what was asked meanwhile. */
const TOO_OLD_MS = 300_000;
const DEADLINE_MS = 120_000;
const ATTEMPTS = 5;
const RETRY_MS = 5_000;

/**
 * Puts requests that come as signals into the queue of the responders. Every host with code roots does so, under the id of
 * the signal: the queue takes each once.
 */
export class RequestSignals implements Service {
  readonly name = "requests about code";
  readonly #options: RequestSignalsOptions;
  readonly #reader: InboxReader;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: RequestSignalsOptions) {
    this.#options = options;
    const { inbox, log, deadLetters } = options;
    this.#reader = new InboxReader({
      inbox,
      sink: REQUESTS_SINK,
      log,
      deadLetters,
      failure: "intelligence: requests could not be queued",
      handle: async (batch, last) => {
        const requests = batch.filter(({ signal }) => signal === options.topic).map(({ text }) => readSignalLine(text));
        await this.#queue(requests.filter((request) => this.#isWanted(request)));
        await inbox.advance(REQUESTS_SINK, last);
      },
    });
  }

  async start(): Promise<void> {
    this.#reader.start();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#retry);
    await this.#reader.stop();
  }

  #isWanted({ id, received_at, facts }: Signal): boolean {
    const { now, log, onDropped } = this.#options;
    if (now() - Date.parse(received_at) > TOO_OLD_MS) {
      onDropped("too_old");
      return false;
    }
    const read = readRequest(facts);
    if (read.ok || !("unknownType" in read)) return true;
    log.warn(
      { signal: id, type: read.unknownType },
      "intelligence: the type of an event is unknown; it is not answered",
    );
    onDropped("unknown_type");
    return false;
  }

  async #queue(requests: readonly Signal[]): Promise<void> {
    if (requests.length === 0) return;
    const { url, token, ecosystem, hostId, queue, topic, log } = this.#options;
    const tasks = requests.map(({ id, facts, trace, depth }) => ({
      task_id: id,
      recipient: "*",
      type: topic,
      payload: facts,
      sender: hostId,
      max_attempts: ATTEMPTS,
      deadline_ms: DEADLINE_MS,
      cause: id,
      depth: (depth ?? 0) + 1,
      ...(trace !== undefined && { trace }),
    }));
    try {
      await createClient({ url, token: token(), ecosystem }).queues.put(queue, tasks);
    } catch (error) {
      if (error instanceof ApiProblem && [401, 403].includes(error.problem.status)) {
        log.error(
          "intelligence: requests that come as signals cannot be answered: give the token the scope tasks:write. Calls are answered",
        );
        return;
      }
      // The edge is away, or its queue is full. The signals stay in the inbox.
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.#reader.wake(), RETRY_MS);
      throw error;
    }
  }
}
