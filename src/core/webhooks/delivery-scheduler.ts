import { Heap } from "../collections/heap.ts";
import { type AttemptOutcome, endpointDelayMs, MAX_AGE_MS, MAX_ATTEMPTS, retryDelayMs } from "./schedule.ts";

/** Maximum number of deliveries that wait for one endpoint. Further ones are given up at once. */
export const MAX_WAITING = 1_000;
/**
 * Maximum number of messages in flight, to one endpoint and in all. Cloudflare opens six connections for an object and
 * queues a seventh, whose time limit would run while it is queued.
 *
 * @see https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections
 */
export const MAX_IN_FLIGHT_PER_ENDPOINT = 2;
export const MAX_IN_FLIGHT = 6;
/** Maximum number of messages in flight to endpoints that fail or are slow: the rest is for those that answer. */
export const MAX_HESITANT_IN_FLIGHT = 4;
/** An endpoint whose last attempt took longer than this, in milliseconds, is slow. */
export const SLOW_MS = 2_000;

/** A delivery that has not ended. Times are milliseconds since the epoch. */
export interface WaitingDelivery {
  /** Position among all deliveries, in the order in which they were accepted. */
  readonly number: number;
  readonly id: string;
  readonly endpoint: string;
  readonly acceptedMs: number;
  attempts: number;
  /** The next attempt is not made before this time. */
  nextMs: number;
}

/** Persisted endpoint state. Times are milliseconds since the epoch. */
export interface EndpointState {
  enabled: boolean;
  /** The endpoint answered 410 and was switched off for this reason. */
  gone: boolean;
  /** Failures in a row of the endpoint as a whole. */
  failures: number;
  pausedUntilMs: number;
  failingSinceMs: number | null;
  /** Least milliseconds between two messages; `alone`: it was not asked yet whether it takes any, and gets one at a time. */
  pace?: number | "alone" | undefined;
}

interface EndpointQueue {
  readonly state: EndpointState;
  /** All deliveries that have not ended, by number. */
  readonly waiting: Map<number, WaitingDelivery>;
  /** The waiting deliveries that are not in flight, by the time of their next attempt. */
  readonly due: Heap<WaitingDelivery>;
  inFlight: number;
  /** The last attempt took longer than {@link SLOW_MS}. */
  slow: boolean;
  /** When its last message was taken. */
  takenMs: number;
}

/**
 * - `waiting`: accepted; it will be sent
 * - `known`: a delivery of this id waits or is remembered; nothing changed
 * - `unknown_endpoint`: not accepted
 * - `skipped`: the endpoint is switched off
 * - `gone`: the endpoint answered 410 earlier
 * - `full`: {@link MAX_WAITING} deliveries wait for the endpoint
 */
export type Acceptance = "waiting" | "known" | "unknown_endpoint" | "skipped" | "gone" | "full";

/** The changes to store after an attempt. */
export interface AttemptResult {
  readonly state: "delivered" | "waiting" | "failed";
  /** Why the delivery was given up, where it was. */
  readonly error?: string;
  readonly endpointStateChanged: boolean;
}

/**
 * Decides which delivery is sent next.
 *
 * Each endpoint has its own queue, so an endpoint that fails or is slow delays no other. A failing endpoint is tried
 * with one message at a time and with growing delays ({@link endpointDelayMs}): however many messages wait for it, it
 * costs a few attempts an hour. All state lives in memory; deliveries in flight when it is lost are sent again.
 */
export class DeliveryScheduler {
  readonly #queues = new Map<string, EndpointQueue>();
  /** Numbers of the deliveries that wait or are remembered, by id. */
  readonly #numbers = new Map<string, number>();
  readonly #random: () => number;
  /** With the time at which the attempt began. */
  readonly #inFlight = new Map<WaitingDelivery, number>();

  /** @param random - returns a number from 0 to below 1; spreads the delays */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Adds an endpoint, or replaces the state of a known one. */
  open(endpoint: string, state: EndpointState): void {
    const queue = this.#queues.get(endpoint);
    if (queue === undefined)
      this.#queues.set(endpoint, { state, waiting: new Map(), due: new Heap(), inFlight: 0, slow: false, takenMs: 0 });
    else Object.assign(queue.state, { pace: undefined }, state);
  }

  /** Removes an endpoint with all deliveries that wait for it. */
  close(endpoint: string): void {
    for (const { id } of this.#queues.get(endpoint)?.waiting.values() ?? []) this.#numbers.delete(id);
    this.#queues.delete(endpoint);
  }

  /** Makes a stored attempt count for the pace of its endpoint. */
  attempted(endpoint: string, atMs: number): void {
    const queue = this.#queues.get(endpoint);
    if (queue !== undefined) queue.takenMs = Math.max(queue.takenMs, atMs);
  }

  /** Adds a stored delivery. Call it in the order of the numbers. */
  restore(delivery: WaitingDelivery): void {
    const queue = this.#queues.get(delivery.endpoint);
    if (queue === undefined) return;
    this.#numbers.set(delivery.id, delivery.number);
    queue.waiting.set(delivery.number, delivery);
    queue.due.push(delivery.nextMs, delivery);
  }

  /** Makes the id of an ended delivery known, until {@link forget}: the same id again is not delivered twice. */
  remember({ id, number }: Pick<WaitingDelivery, "id" | "number">): void {
    this.#numbers.set(id, number);
  }

  /** @returns the number of a delivery that waits or is remembered */
  numberOf(id: string): number | undefined {
    return this.#numbers.get(id);
  }

  forget(id: string): void {
    this.#numbers.delete(id);
  }

  stateOf(endpoint: string): Readonly<EndpointState> | undefined {
    return this.#queues.get(endpoint)?.state;
  }

  waitingFor(endpoint: string): number {
    return this.#queues.get(endpoint)?.waiting.size ?? 0;
  }

  /** The deliveries that wait for an endpoint, those in flight included. */
  waitingOf(endpoint: string): Iterable<WaitingDelivery> {
    return this.#queues.get(endpoint)?.waiting.values() ?? [];
  }

  /** Accepts a delivery, or returns why it is not sent. Makes its id known unless the endpoint is unknown. */
  accept(delivery: WaitingDelivery): Acceptance {
    const queue = this.#queues.get(delivery.endpoint);
    if (this.#numbers.has(delivery.id)) return "known";
    if (queue === undefined) return "unknown_endpoint";
    this.#numbers.set(delivery.id, delivery.number);
    if (queue.state.gone) return "gone";
    if (!queue.state.enabled) return "skipped";
    if (queue.waiting.size >= MAX_WAITING) return "full";
    queue.waiting.set(delivery.number, delivery);
    queue.due.push(delivery.nextMs, delivery);
    return "waiting";
  }

  /** Takes the next delivery to send now. It is in flight until {@link settle} or {@link abandon}. */
  take(nowMs: number): WaitingDelivery | undefined {
    if (this.#inFlight.size >= MAX_IN_FLIGHT) return undefined;
    for (const [endpoint, queue] of this.#queues) {
      if (dueMs(queue) > nowMs || !this.#hasPlace(queue)) continue;
      const delivery = queue.due.pop();
      if (delivery === undefined) continue;
      queue.inFlight++;
      queue.takenMs = nowMs;
      this.#inFlight.set(delivery, nowMs);
      // The queue moves to the end: with more due queues than places in flight, each gets its turn.
      this.#queues.delete(endpoint);
      this.#queues.set(endpoint, queue);
      return delivery;
    }
    return undefined;
  }

  /** @returns `undefined` where the endpoint was removed while the delivery was in flight */
  settle(delivery: WaitingDelivery, outcome: AttemptOutcome, nowMs: number): AttemptResult | undefined {
    const startedMs = this.#inFlight.get(delivery);
    if (startedMs === undefined) return undefined;
    this.#inFlight.delete(delivery);
    const queue = this.#queues.get(delivery.endpoint);
    // An endpoint of the same id may have been added since: its queue does not hold this delivery.
    if (queue?.waiting.get(delivery.number) !== delivery) return undefined;
    queue.inFlight--;
    queue.slow = nowMs - startedMs > SLOW_MS;
    delivery.attempts++;
    if (outcome.kind === "delivered") {
      queue.waiting.delete(delivery.number);
      return { state: "delivered", endpointStateChanged: this.#recover(queue, nowMs) };
    }
    if (outcome.kind === "gone") {
      queue.waiting.delete(delivery.number);
      Object.assign(queue.state, { enabled: false, gone: true });
      return { state: "failed", error: outcome.error, endpointStateChanged: true };
    }
    const requestedMs = outcome.retryAfterMs ?? 0;
    if (outcome.endpointFails) {
      queue.state.failures++;
      queue.state.failingSinceMs ??= nowMs;
      const delayMs = Math.max(requestedMs, endpointDelayMs(queue.state.failures, this.#random()));
      queue.state.pausedUntilMs = Math.max(queue.state.pausedUntilMs, nowMs + delayMs);
    }
    if (delivery.attempts >= MAX_ATTEMPTS) {
      queue.waiting.delete(delivery.number);
      const error = `${outcome.error}; given up after ${delivery.attempts} attempts`;
      return { state: "failed", error, endpointStateChanged: outcome.endpointFails };
    }
    delivery.nextMs = nowMs + Math.max(requestedMs, retryDelayMs(delivery.attempts, this.#random()));
    queue.due.push(delivery.nextMs, delivery);
    return { state: "waiting", endpointStateChanged: outcome.endpointFails };
  }

  /** Ends the flight of a delivery that could not be sent because its endpoint was removed. */
  abandon(delivery: WaitingDelivery): void {
    this.#inFlight.delete(delivery);
  }

  /** Removes and returns the deliveries older than {@link MAX_AGE_MS}. A delivery in flight keeps its attempt. */
  expire(nowMs: number): WaitingDelivery[] {
    const expired: WaitingDelivery[] = [];
    for (const queue of this.#queues.values()) {
      if (oldestAcceptedMs(queue) + MAX_AGE_MS > nowMs) continue;
      queue.due.retain((delivery) => {
        if (delivery.acceptedMs + MAX_AGE_MS > nowMs) return true;
        queue.waiting.delete(delivery.number);
        expired.push(delivery);
        return false;
      });
    }
    return expired;
  }

  /** When a delivery is to be sent or expires next, in milliseconds since the epoch; `undefined`: none waits. */
  get nextDueMs(): number | undefined {
    let next = Number.POSITIVE_INFINITY;
    for (const queue of this.#queues.values())
      next = Math.min(next, dueMs(queue), oldestAcceptedMs(queue) + MAX_AGE_MS);
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  /**
   * When {@link take} has a delivery next if no attempt ends before, in milliseconds since the epoch; `undefined`: only
   * the end of an attempt makes place.
   */
  get nextTakeMs(): number | undefined {
    if (this.#inFlight.size >= MAX_IN_FLIGHT) return undefined;
    let next = Number.POSITIVE_INFINITY;
    for (const queue of this.#queues.values()) if (this.#hasPlace(queue)) next = Math.min(next, dueMs(queue));
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  /** Endpoints that fail or are slow share a part of the places, however many they are. */
  #hasPlace(queue: EndpointQueue): boolean {
    if (!isHesitant(queue)) return true;
    let places = MAX_HESITANT_IN_FLIGHT;
    for (const other of this.#queues.values()) if (isHesitant(other)) places -= other.inFlight;
    return places > 0;
  }

  /** Clears the failures of an endpoint that works again, and makes all deliveries that wait for it due now. */
  #recover(queue: EndpointQueue, nowMs: number): boolean {
    if (queue.state.failures === 0) return false;
    Object.assign(queue.state, { failures: 0, pausedUntilMs: 0, failingSinceMs: null });
    const waiting: WaitingDelivery[] = [];
    queue.due.retain((delivery) => {
      waiting.push(delivery);
      return false;
    });
    for (const delivery of waiting) {
      delivery.nextMs = Math.min(delivery.nextMs, nowMs);
      queue.due.push(delivery.nextMs, delivery);
    }
    return true;
  }
}

const isHesitant = ({ state, slow }: EndpointQueue) => slow || state.failures > 0;

/** When the queue may send next, in milliseconds since the epoch. */
function dueMs({ state, due, inFlight, takenMs }: EndpointQueue): number {
  const maxInFlight = state.failures > 0 || state.pace === "alone" ? 1 : MAX_IN_FLIGHT_PER_ENDPOINT;
  if (!state.enabled || inFlight >= maxInFlight || due.firstKey === undefined) return Number.POSITIVE_INFINITY;
  const paceMs = typeof state.pace === "number" ? takenMs + state.pace : 0;
  return Math.max(due.firstKey, state.pausedUntilMs, paceMs);
}

function oldestAcceptedMs({ waiting, inFlight }: EndpointQueue): number {
  // A delivery in flight settles without an alarm, and its queue is looked at again then.
  if (inFlight > 0) return Number.POSITIVE_INFINITY;
  for (const { acceptedMs } of waiting.values()) return acceptedMs;
  return Number.POSITIVE_INFINITY;
}
