import type { WaitingDelivery } from "../../core/webhooks/delivery-scheduler.ts";
import { logLine } from "../shell/log-line.ts";
import type { Deliveries } from "./deliveries.ts";
import type { Sender } from "./sender.ts";
import type { WebhookStore } from "./webhook-store.ts";

/**
 * An alarm sends for this long, in milliseconds; the next alarm sends the rest. The runtime allows a handler 15 minutes.
 *
 * @see https://developers.cloudflare.com/durable-objects/platform/limits/
 */
const RUN_MS = 60_000;

export interface RunParts {
  readonly ecosystem: string;
  readonly store: WebhookStore;
  readonly deliveries: Deliveries;
  readonly sender: Sender;
  /** Stores a change, and what it does to memory. */
  readonly change: (change: () => void) => void;
  /** An endpoint fails that did not, or does no longer. */
  readonly failureChanged: () => void;
}

/** Sends what is due, for as long as an alarm runs. */
export class DeliveryRun {
  readonly #parts: RunParts;
  readonly #inFlight = new Set<Promise<void>>();
  /** Ends {@link #pause}. */
  #wake: () => void = () => undefined;
  /** The running alarm starts attempts until this time, in milliseconds since the epoch; `undefined`: none runs. */
  #untilMs: number | undefined;

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  get runs(): boolean {
    return this.#untilMs !== undefined;
  }

  begin(): void {
    this.#untilMs = Date.now() + RUN_MS;
  }

  end(): void {
    this.#untilMs = undefined;
  }

  /** Sends until nothing is in flight and nothing is due. */
  async sendAll(): Promise<void> {
    this.#fill();
    // The alarm that a retry would need is set only when this one ends. Until then a timer stands in for it, so that
    // no endpoint waits until another one has answered.
    while (this.#inFlight.size > 0) {
      await this.#pause();
      this.#fill();
    }
  }

  /** Something may be due now. */
  look(): void {
    this.#fill();
    this.#wake();
  }

  /** Resolves when an attempt has ended, a delivery was accepted, or the next one is due in this alarm. */
  async #pause(): Promise<void> {
    const untilMs = this.#untilMs ?? 0;
    const dueMs = this.#parts.deliveries.scheduler.nextTakeMs ?? Number.POSITIVE_INFINITY;
    let timer: ReturnType<typeof setTimeout> | null = null;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (dueMs < untilMs) timer = setTimeout(resolve, Math.max(0, dueMs - Date.now()));
    });
    clearTimeout(timer);
  }

  /** Starts attempts until the maximum is in flight. Does nothing outside an alarm: see the object. */
  #fill(): void {
    const { deliveries, ecosystem } = this.#parts;
    while (this.#untilMs !== undefined && Date.now() < this.#untilMs) {
      const delivery = deliveries.scheduler.take(Date.now());
      if (delivery === undefined) return;
      const done: Promise<void> = this.#attempt(delivery)
        .catch((error: unknown) => {
          // Memory and disk disagree: memory is read from the disk, and deliveries that it shows as waiting are sent.
          logLine("error", "attempt-not-stored", { ecosystem, object: "webhooks", error });
          deliveries.load();
        })
        .finally(() => {
          this.#inFlight.delete(done);
          this.#fill();
          this.#wake();
        });
      this.#inFlight.add(done);
    }
  }

  async #attempt(delivery: WaitingDelivery): Promise<void> {
    const { store, deliveries, sender, change, failureChanged } = this.#parts;
    const row = store.endpoint(delivery.endpoint);
    const stored = store.message(delivery.number);
    if (row === undefined || stored === undefined) return deliveries.scheduler.abandon(delivery);
    const response = await sender.send(row, { ...stored, id: delivery.id });
    const failed = deliveries.fails(delivery.endpoint);
    change(() => deliveries.settle(delivery, response, Date.now()));
    if (deliveries.fails(delivery.endpoint) !== failed) failureChanged();
  }
}
