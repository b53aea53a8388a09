import { type Fate, settle } from "../../core/telemetry/progress.ts";
import { outcomeOf, type ReceiverAnswer } from "../../core/telemetry/receiver-answer.ts";
import type { ExportStore, Waiting } from "./export-store.ts";

interface ExporterOptions {
  readonly store: ExportStore;
  readonly transaction: <Result>(change: () => Result, reload: () => void) => Result;
  readonly send: (spans: readonly string[]) => Promise<ReceiverAnswer>;
}

/** Sends what waits, one request after the other: an object may have six that wait for an answer, and needs one. */
export class Exporter {
  readonly #options: ExporterOptions;

  constructor(options: ExporterOptions) {
    this.#options = options;
  }

  /** Sends until nothing waits, the receiver fails, or the time is over. */
  async run(untilMs: number): Promise<void> {
    const { store } = this.#options;
    let most = Number.POSITIVE_INFINITY;
    while (store.settings !== undefined && Date.now() >= store.progress.retry_ms && Date.now() < untilMs) {
      const waiting = store.next();
      if (waiting === undefined) return;
      const count = Math.min(waiting.spans.length, most);
      const fate = await this.#send(waiting, count);
      if (fate === "wait") return;
      // Halves where the receiver takes no more; one span that is too large does not have all others go one by one.
      most = fate === "split" ? Math.ceil(count / 2) : most * 2;
    }
  }

  /** Sends the first spans. They count as soon as they are taken: what becomes of the others changes nothing. */
  async #send(waiting: Waiting, count: number): Promise<Fate> {
    const { store, transaction, send } = this.#options;
    const answer = await send(waiting.spans.slice(0, count));
    // Switched off or changed meanwhile: all of it was given up, and nothing is kept of it.
    if (!store.isSending(waiting)) return store.settings === undefined ? "wait" : "done";
    const nowMs = Date.now();
    const { progress, fate } = settle(store.progress, outcomeOf(answer, nowMs), count, nowMs, Math.random());
    // After a crash before this, the request is sent again; the receiver knows its spans by their ids.
    transaction(
      () => {
        store.settle(waiting, fate === "done" ? count : 0);
        if (fate !== "split") store.progress = progress;
      },
      () => store.reload(),
    );
    return fate;
  }
}
