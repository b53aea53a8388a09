import { readSignalLine } from "../../src/core/signals/signal-line.ts";
import type { Logger } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import type { Inbox } from "../store/inbox.ts";
import { type InboxDeadLetters, InboxReader } from "../store/inbox-reader.ts";
import { FLEET_QUEUE } from "./fleet-queue.ts";

export const ENDINGS_SINK = "workers";
export const ENDINGS = ["Q_TASK_COMPLETE", "Q_TASK_FAILED"] as const;

export interface FleetEndingsOptions {
  readonly inbox: Inbox;
  /** Called with the id in the edge's queue; for tasks of all hosts. */
  readonly ended: (id: string) => void;
  readonly log: Logger;
  readonly deadLetters: InboxDeadLetters;
}

/**
 * Receives from the edge which dropped tasks have ended. The signal is a hint: the worker then asks the queue for the
 * task. A signal that is lost in a crash is made up for by asking every five minutes.
 */
export class FleetEndings implements Service {
  readonly name = "endings of dropped tasks";
  readonly #reader: InboxReader;

  constructor({ inbox, ended, log, deadLetters }: FleetEndingsOptions) {
    this.#reader = new InboxReader({
      inbox,
      sink: ENDINGS_SINK,
      log,
      deadLetters,
      failure: "workers: the inbox could not be read",
      handle: async (batch, last) => {
        for (const { signal, text } of batch) {
          // The inbox also holds signals for other sinks.
          if (!ENDINGS.some((name) => name === signal)) continue;
          const { facts } = readSignalLine(text);
          if (facts.queue === FLEET_QUEUE && typeof facts.task_id === "string") ended(facts.task_id);
        }
        await inbox.advance(ENDINGS_SINK, last);
      },
    });
  }

  async start(): Promise<void> {
    this.#reader.start();
  }

  stop(): Promise<void> {
    return this.#reader.stop();
  }
}
