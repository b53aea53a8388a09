import type { DeadLetterRecord } from "../../core/dead-letters/record.ts";
import { DEFAULT_TYPE, messageOf, type NewDelivery, readMessage } from "../../core/webhooks/delivery.ts";
import { DeliveryScheduler, MAX_WAITING, type Waiting } from "../../core/webhooks/delivery-scheduler.ts";
import { type Answer, judge } from "../../core/webhooks/schedule.ts";
import { endpointQueueOf } from "./endpoint-row.ts";
import type { WebhookStore } from "./webhook-store.ts";

/** Deliveries that have ended, kept for each endpoint: to be shown, and so that their ids are recognised. */
const KEEP_ENDED = 200;

interface Ended {
  readonly number: number;
  readonly id: string;
}

/**
 * Deliveries in memory and on disk: which wait, which are on their way, how those that ended did. The changes belong
 * into a transaction; where one fails, {@link load} reads memory back.
 */
export class Deliveries {
  readonly #store: WebhookStore;
  readonly #deadLetter: (record: DeadLetterRecord) => void;
  /** Deliveries that have ended, oldest first, by endpoint. */
  #ended = new Map<string, Ended[]>();
  #scheduler = new DeliveryScheduler(Math.random);

  /** @param deadLetter - takes a delivery that is given up */
  constructor(store: WebhookStore, deadLetter: (record: DeadLetterRecord) => void) {
    this.#store = store;
    this.#deadLetter = deadLetter;
    this.load();
  }

  get scheduler(): DeliveryScheduler {
    return this.#scheduler;
  }

  /** @returns whether the endpoint exists */
  accept(delivery: NewDelivery, nowMs: number, timestampMs = nowMs): boolean {
    const { id, endpoint, body, type = DEFAULT_TYPE } = delivery;
    const number = this.#store.takeNumber();
    const waiting: Waiting = { number, id, endpoint, acceptedMs: nowMs, attempts: 0, nextMs: nowMs };
    const acceptance = this.#scheduler.accept(waiting);
    if (acceptance === "known") return true;
    if (acceptance === "unknown_endpoint") return false;
    const message = messageOf(type, body, timestampMs);
    const state = acceptance === "waiting" || acceptance === "skipped" ? acceptance : "failed";
    this.#store.add(waiting, { ...delivery, type }, state, state === "skipped" ? "" : message);
    if (state === "failed") {
      const why =
        acceptance === "full" ? `${MAX_WAITING} deliveries wait for it already` : "it answered 410 Gone before";
      this.#recordDeadLetter(waiting, `not sent to the endpoint: ${why}`);
      this.#store.giveUp(number, why);
    }
    if (state !== "waiting") this.#end(waiting);
    return true;
  }

  /** Takes a delivery again that was given up. */
  acceptAgain(delivery: NewDelivery & { timestampMs: number }, before: Ended | undefined, nowMs: number): void {
    if (before !== undefined) {
      this.#store.remove(before.number);
      const ended = this.#ended.get(delivery.endpoint) ?? [];
      this.#ended.set(
        delivery.endpoint,
        ended.filter(({ number }) => number !== before.number),
      );
    }
    this.#scheduler.forget(delivery.id);
    this.accept(delivery, nowMs, delivery.timestampMs);
  }

  /** Notes what an endpoint answered. */
  settle(delivery: Waiting, answer: Answer, nowMs: number): void {
    const verdict = judge(answer, nowMs);
    const settled = this.#scheduler.settle(delivery, verdict, nowMs);
    if (settled === undefined) return;
    const status = "status" in answer ? answer.status : null;
    const error = "error" in verdict ? verdict.error : null;
    if (settled.state === "failed") this.#recordDeadLetter(delivery, settled.error ?? "given up");
    this.#store.attempted(delivery, settled.state, nowMs, status, settled.error ?? error);
    const endpointQueue = this.#scheduler.stateOf(delivery.endpoint);
    if (settled.laneChanged && endpointQueue !== undefined)
      this.#store.writeLane(delivery.endpoint, endpointQueue, error);
    if (settled.state !== "waiting") this.#end(delivery);
  }

  /** Gives up deliveries that have waited for a day. */
  giveUpOld(nowMs: number): void {
    for (const delivery of this.#scheduler.expire(nowMs)) {
      const since = this.#scheduler.stateOf(delivery.endpoint)?.failingSinceMs;
      const error =
        since === null || since === undefined
          ? "given up after a day"
          : `given up after a day: the endpoint fails since ${new Date(since).toISOString()}`;
      this.#recordDeadLetter(delivery, error);
      this.#store.giveUp(delivery.number, error);
      this.#end(delivery);
    }
  }

  /** Forgets an endpoint and everything that waits for it. */
  removeEndpoint(id: string): void {
    this.#store.removeEndpoint(id);
    this.#scheduler.close(id);
    for (const ended of this.#ended.get(id) ?? []) this.#scheduler.forget(ended.id);
    this.#ended.delete(id);
  }

  load(): void {
    this.#store.reload();
    this.#scheduler = new DeliveryScheduler(Math.random);
    this.#ended = new Map();
    for (const row of this.#store.endpoints()) this.#scheduler.open(row.id, endpointQueueOf(row));
    for (const { state, delivery } of this.#store.known()) {
      if (state === "waiting") {
        this.#scheduler.restore(delivery);
        continue;
      }
      this.#scheduler.remember(delivery);
      const ended = this.#ended.get(delivery.endpoint) ?? [];
      ended.push({ number: delivery.number, id: delivery.id });
      this.#ended.set(delivery.endpoint, ended);
    }
  }

  #end({ number, id, endpoint }: Waiting): void {
    const ended = this.#ended.get(endpoint) ?? [];
    ended.push({ number, id });
    this.#ended.set(endpoint, ended);
    const oldest = ended.length > KEEP_ENDED ? ended.shift() : undefined;
    if (oldest === undefined) return;
    this.#scheduler.forget(oldest.id);
    this.#store.remove(oldest.number);
  }

  #recordDeadLetter({ id, number, endpoint, attempts }: Waiting, error: string): void {
    const stored = this.#store.message(number);
    if (stored === undefined) return;
    const { timestamp, data } = readMessage(stored.message);
    this.#deadLetter({
      id: `webhook.${id}`,
      kind: "webhook",
      webhook: {
        id,
        endpoint,
        type: stored.type,
        timestamp,
        data,
        attempts,
        ...(stored.cause === null ? {} : { cause: stored.cause }),
        ...(stored.rule === null ? {} : { rule: stored.rule }),
      },
      error,
      daemon: `ganglion/webhooks/${endpoint}`,
    });
  }
}
