import { spansOf } from "../../core/telemetry/batches.ts";
import { type Fate, settle } from "../../core/telemetry/progress.ts";
import { outcomeOf, type ReceiverAnswer } from "../../core/telemetry/receiver-answer.ts";
import type { ExportStore } from "./export-store.ts";

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
    const { store, transaction } = this.#options;
    while (store.settings !== undefined && Date.now() >= store.progress.retry_ms && Date.now() < untilMs) {
      const waiting = store.next();
      if (waiting === undefined) return;
      const fate = await this.#sendAll(spansOf(waiting));
      if (fate === "wait") return;
      // After a crash before this, the request is sent again; the receiver knows its spans by their ids.
      transaction(
        () => store.forget(waiting),
        () => store.reload(),
      );
    }
  }

  /** Sends spans, in halves where the receiver takes no more. Each half counts as soon as it is taken. */
  async #sendAll(spans: readonly string[]): Promise<Fate> {
    const { store, transaction, send } = this.#options;
    const answer = await send(spans);
    const nowMs = Date.now();
    const { progress, fate } = settle(store.progress, outcomeOf(answer, nowMs), spans.length, nowMs, Math.random());
    if (fate === "split") {
      const half = Math.ceil(spans.length / 2);
      const first = await this.#sendAll(spans.slice(0, half));
      return first === "wait" ? first : this.#sendAll(spans.slice(half));
    }
    // Switched off meanwhile: nothing is kept of it.
    if (store.settings === undefined) return "wait";
    transaction(
      () => {
        store.progress = progress;
      },
      () => store.reload(),
    );
    return fate;
  }
}
