import type { DeadLetterRecord } from "../../core/dead-letters/dead-letter.ts";
import type { NewDelivery } from "../../core/webhooks/api.ts";
import { DEFAULT_TYPE, messageOf, type Redelivery, readMessage, withoutLink } from "../../core/webhooks/delivery.ts";
import { DeliveryScheduler, MAX_WAITING, type WaitingDelivery } from "../../core/webhooks/delivery-scheduler.ts";
import { classifyResponse, type EndpointResponse } from "../../core/webhooks/schedule.ts";
import { readableOr } from "../shell/readable-rows.ts";
import { endpointStateOf } from "./endpoint-row.ts";
import type { WebhookStore } from "./webhook-store.ts";

/** Number of ended deliveries kept for each endpoint: to show them, and to recognise their ids. */
const KEEP_ENDED = 200;

interface Ended {
  readonly number: number;
  readonly id: string;
}

/**
 * Deliveries in memory and on disk: waiting, in flight, and ended. Each change belongs into a transaction; after one
 * that failed, {@link load} reads memory from the disk again.
 */
export class Deliveries {
  readonly #store: WebhookStore;
  readonly #deadLetter: (record: DeadLetterRecord) => void;
  /** Deliveries that have ended, oldest first, by endpoint. */
  #ended = new Map<string, Ended[]>();
  #scheduler = new DeliveryScheduler(Math.random);

  /** @param deadLetter - records a delivery that is given up */
  constructor(store: WebhookStore, deadLetter: (record: DeadLetterRecord) => void) {
    this.#store = store;
    this.#deadLetter = deadLetter;
    this.load();
  }

  get scheduler(): DeliveryScheduler {
    return this.#scheduler;
  }

  /** Whether an endpoint accepts nothing at present, or is gone. */
  fails(endpoint: string): boolean {
    const state = this.#scheduler.stateOf(endpoint);
    return state !== undefined && (state.gone || state.failingSinceMs !== null);
  }

  /** @returns whether the endpoint exists */
  accept(delivery: NewDelivery, nowMs: number, timestampMs = nowMs): boolean {
    const { id, endpoint, body, type = DEFAULT_TYPE } = delivery;
    const number = this.#store.takeNumber();
    const waiting: WaitingDelivery = { number, id, endpoint, acceptedMs: nowMs, attempts: 0, nextMs: nowMs };
    const acceptance = this.#scheduler.accept(waiting);
    if (acceptance === "known") return true;
    if (acceptance === "unknown_endpoint") return false;
    const message = messageOf(type, body, timestampMs);
    const state = acceptance === "waiting" || acceptance === "skipped" ? acceptance : "failed";
    this.#store.add(waiting, { ...delivery, type }, state, state === "skipped" ? "" : message);
    if (state === "failed") {
      const why =
        acceptance === "full"
          ? `the endpoint has the maximum number of pending deliveries (${MAX_WAITING})`
          : "the endpoint answered 410 Gone earlier";
      this.#recordDeadLetter(waiting, `not sent: ${why}`);
      this.#store.giveUp(number, why, true);
    }
    if (state !== "waiting") this.#end(waiting);
    return true;
  }

  /** Accepts a delivery again that was given up. */
  acceptAgain(delivery: Redelivery, before: Ended | undefined, nowMs: number): void {
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

  /** Records the response of an endpoint to an attempt. */
  settle(delivery: WaitingDelivery, response: EndpointResponse, nowMs: number): void {
    const outcome = classifyResponse(response, nowMs);
    const result = this.#scheduler.settle(delivery, outcome, nowMs);
    if (result === undefined) return;
    const status = "status" in response ? response.status : null;
    const error = "error" in outcome ? outcome.error : null;
    if (result.state === "failed") this.#recordDeadLetter(delivery, result.error ?? "given up");
    this.#store.writeAttempt(delivery, result.state, nowMs, status, result.error ?? error);
    const endpointState = this.#scheduler.stateOf(delivery.endpoint);
    if (result.endpointStateChanged && endpointState !== undefined)
      this.#store.writeState(delivery.endpoint, endpointState, error);
    if (result.state !== "waiting") this.#end(delivery);
  }

  /** Gives up deliveries that have waited for a day. */
  giveUpExpired(nowMs: number): void {
    for (const delivery of this.#scheduler.expire(nowMs)) {
      const since = this.#scheduler.stateOf(delivery.endpoint)?.failingSinceMs;
      const error =
        since === null || since === undefined
          ? "given up after a day"
          : `given up after a day: the endpoint has failed since ${new Date(since).toISOString()}`;
      this.#recordDeadLetter(delivery, error);
      this.#store.giveUp(delivery.number, error);
      this.#end(delivery);
    }
  }

  /** Removes an endpoint. What waits for it becomes dead letters, what is in flight included: nobody learns its end. */
  removeEndpoint(id: string): void {
    for (const delivery of this.#scheduler.waitingOf(id))
      this.#recordDeadLetter(delivery, "not sent: the endpoint was deleted while the message waited for it");
    this.#store.removeEndpoint(id);
    this.#scheduler.close(id);
    for (const ended of this.#ended.get(id) ?? []) this.#scheduler.forget(ended.id);
    this.#ended.delete(id);
  }

  load(): void {
    this.#store.reload();
    this.#scheduler = new DeliveryScheduler(Math.random);
    this.#ended = new Map();
    for (const row of this.#store.endpoints()) this.#scheduler.open(row.id, endpointStateOf(row, Date.now()));
    for (const { state, delivery, attemptedMs } of this.#store.known()) {
      if (attemptedMs !== null) this.#scheduler.attempted(delivery.endpoint, attemptedMs);
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

  #end({ number, id, endpoint }: WaitingDelivery): void {
    const ended = this.#ended.get(endpoint) ?? [];
    ended.push({ number, id });
    this.#ended.set(endpoint, ended);
    const oldest = ended.length > KEEP_ENDED ? ended.shift() : undefined;
    if (oldest === undefined) return;
    this.#scheduler.forget(oldest.id);
    this.#store.remove(oldest.number);
  }

  #recordDeadLetter({ id, number, endpoint, attempts }: WaitingDelivery, error: string): void {
    const stored = this.#store.message(number);
    if (stored === undefined) return;
    // A message that cannot be read is kept as its text.
    const unreadable = { timestamp: "", data: stored.message };
    const read = readableOr("webhook messages", stored.message, readMessage, unreadable);
    const { timestamp } = read;
    const data = withoutLink(stored.type, read.data);
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
