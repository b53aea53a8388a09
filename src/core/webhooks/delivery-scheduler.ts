import { Heap } from "../queue/heap.ts";
import { type DeliveryVerdict, endpointPauseMs, GIVE_UP_MS, MAX_ATTEMPTS, pauseMs } from "./schedule.ts";

/** Deliveries that wait for one endpoint at most; what comes beyond is given up at once. */
export const MAX_WAITING = 1_000;
/**
 * Messages on their way at a time: to one endpoint, and in all. Cloudflare opens six connections for an object and lets
 * a seventh wait, whose time limit would run meanwhile.
 */
export const ENDPOINT_AT_ONCE = 2;
export const AT_ONCE = 6;

/** A delivery that has not ended. */
export interface Waiting {
  /** Its place among all deliveries: the order of their coming. */
  readonly number: number;
  readonly id: string;
  readonly endpoint: string;
  readonly acceptedMs: number;
  attempts: number;
  nextMs: number;
}

/** What outlives the memory of an endpoint's fate. */
export interface EndpointQueueState {
  enabled: boolean;
  /** It answered 410 and was switched off for it. */
  gone: boolean;
  /** In a row, of the endpoint as a whole. */
  failures: number;
  pausedUntilMs: number;
  failingSinceMs: number | null;
}

interface Lane {
  readonly state: EndpointQueueState;
  readonly waiting: Map<number, Waiting>;
  /** Those that are not on their way, by the time of their next attempt. */
  readonly due: Heap<Waiting>;
  inFlight: number;
}

export type Acceptance = "waiting" | "known" | "unknown_endpoint" | "skipped" | "gone" | "full";

/** What an answer has changed, to be stored. */
export interface Settled {
  readonly state: "delivered" | "waiting" | "failed";
  /** Why it was given up, where it was. */
  readonly error?: string;
  /** The endpoint's own state has changed. */
  readonly laneChanged: boolean;
}

/**
 * Which delivery is sent next. Each endpoint has a lane of its own, so that one that fails, or is slow, holds up no
 * other. An endpoint that fails as a whole is asked with one message at a time, later and later: whatever waits for it,
 * it costs a few attempts an hour. Lives in memory; what is on its way when that is lost is sent again.
 */
export class DeliveryScheduler {
  readonly #lanes = new Map<string, Lane>();
  /** Numbers of those that wait or are remembered, by id. */
  readonly #known = new Map<string, number>();
  readonly #random: () => number;
  readonly #onTheWay = new Set<Waiting>();

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Adds an endpoint, or puts another state in place of the one it has. */
  open(endpoint: string, state: EndpointQueueState): void {
    const lane = this.#lanes.get(endpoint);
    if (lane === undefined) this.#lanes.set(endpoint, { state, waiting: new Map(), due: new Heap(), inFlight: 0 });
    else Object.assign(lane.state, state);
  }

  /** Takes an endpoint away, with all that waits for it. */
  close(endpoint: string): void {
    for (const { id } of this.#lanes.get(endpoint)?.waiting.values() ?? []) this.#known.delete(id);
    this.#lanes.delete(endpoint);
  }

  /** Puts back what is stored. In the order of the numbers. */
  restore(delivery: Waiting): void {
    const lane = this.#lanes.get(delivery.endpoint);
    if (lane === undefined) return;
    this.#known.set(delivery.id, delivery.number);
    lane.waiting.set(delivery.number, delivery);
    lane.due.push(delivery.nextMs, delivery);
  }

  /** Ids of deliveries that have ended are recognised until they are forgotten. */
  remember({ id, number }: Pick<Waiting, "id" | "number">): void {
    this.#known.set(id, number);
  }

  /** @returns the number of a delivery that waits or is remembered */
  numberOf(id: string): number | undefined {
    return this.#known.get(id);
  }

  forget(id: string): void {
    this.#known.delete(id);
  }

  has(id: string): boolean {
    return this.#known.has(id);
  }

  stateOf(endpoint: string): Readonly<EndpointQueueState> | undefined {
    return this.#lanes.get(endpoint)?.state;
  }

  waitingFor(endpoint: string): number {
    return this.#lanes.get(endpoint)?.waiting.size ?? 0;
  }

  /** What is to become of a delivery that comes; `waiting` and the others that end it make its id known. */
  accept(delivery: Waiting): Acceptance {
    const lane = this.#lanes.get(delivery.endpoint);
    if (this.#known.has(delivery.id)) return "known";
    if (lane === undefined) return "unknown_endpoint";
    this.#known.set(delivery.id, delivery.number);
    if (lane.state.gone) return "gone";
    if (!lane.state.enabled) return "skipped";
    if (lane.waiting.size >= MAX_WAITING) return "full";
    lane.waiting.set(delivery.number, delivery);
    lane.due.push(delivery.nextMs, delivery);
    return "waiting";
  }

  /** The next to be sent now; from then on it is on its way until {@link settle}. */
  take(nowMs: number): Waiting | undefined {
    if (this.#onTheWay.size >= AT_ONCE) return undefined;
    for (const [endpoint, lane] of this.#lanes) {
      if (dueOf(lane) > nowMs) continue;
      const delivery = lane.due.pop();
      if (delivery === undefined) continue;
      lane.inFlight++;
      this.#onTheWay.add(delivery);
      // To the end of the row: with more lanes than may be served at once, each gets its turn.
      this.#lanes.delete(endpoint);
      this.#lanes.set(endpoint, lane);
      return delivery;
    }
    return undefined;
  }

  /** @returns `undefined` where the endpoint was taken away meanwhile */
  settle(delivery: Waiting, verdict: DeliveryVerdict, nowMs: number): Settled | undefined {
    if (!this.#onTheWay.delete(delivery)) return undefined;
    const lane = this.#lanes.get(delivery.endpoint);
    // An endpoint of the same id may have been put since: its lane does not know this delivery.
    if (lane?.waiting.get(delivery.number) !== delivery) return undefined;
    lane.inFlight--;
    delivery.attempts++;
    if (verdict.kind === "delivered") {
      lane.waiting.delete(delivery.number);
      return { state: "delivered", laneChanged: this.#recover(lane, nowMs) };
    }
    if (verdict.kind === "gone") {
      lane.waiting.delete(delivery.number);
      Object.assign(lane.state, { enabled: false, gone: true });
      return { state: "failed", error: verdict.error, laneChanged: true };
    }
    const asked = verdict.retryAfterMs ?? 0;
    if (verdict.endpointFails) {
      lane.state.failures++;
      lane.state.failingSinceMs ??= nowMs;
      const pause = Math.max(asked, endpointPauseMs(lane.state.failures, this.#random()));
      lane.state.pausedUntilMs = Math.max(lane.state.pausedUntilMs, nowMs + pause);
    }
    if (delivery.attempts >= MAX_ATTEMPTS) {
      lane.waiting.delete(delivery.number);
      const error = `${verdict.error}; given up after ${delivery.attempts} attempts`;
      return { state: "failed", error, laneChanged: verdict.endpointFails };
    }
    delivery.nextMs = nowMs + Math.max(asked, pauseMs(delivery.attempts, this.#random()));
    lane.due.push(delivery.nextMs, delivery);
    return { state: "waiting", laneChanged: verdict.endpointFails };
  }

  /** What was taken could not be sent, because its endpoint was taken away meanwhile. */
  abandon(delivery: Waiting): void {
    this.#onTheWay.delete(delivery);
  }

  /** Takes out what has waited for too long. What is on its way now is left its chance. */
  expire(nowMs: number): Waiting[] {
    const old: Waiting[] = [];
    for (const lane of this.#lanes.values()) {
      if (oldestOf(lane) + GIVE_UP_MS > nowMs) continue;
      lane.due.retain((delivery) => {
        if (delivery.acceptedMs + GIVE_UP_MS > nowMs) return true;
        lane.waiting.delete(delivery.number);
        old.push(delivery);
        return false;
      });
    }
    return old;
  }

  /** When something is to be done without anybody asking; `undefined`: nothing waits. */
  get nextDueMs(): number | undefined {
    let next = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes.values()) next = Math.min(next, dueOf(lane), oldestOf(lane) + GIVE_UP_MS);
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  /** The endpoint works again: what waited because it did not need not wait longer. */
  #recover(lane: Lane, nowMs: number): boolean {
    if (lane.state.failures === 0) return false;
    Object.assign(lane.state, { failures: 0, pausedUntilMs: 0, failingSinceMs: null });
    const waiting: Waiting[] = [];
    lane.due.retain((delivery) => {
      waiting.push(delivery);
      return false;
    });
    for (const delivery of waiting) {
      delivery.nextMs = Math.min(delivery.nextMs, nowMs);
      lane.due.push(delivery.nextMs, delivery);
    }
    return true;
  }
}

/** When the lane may send next. */
function dueOf({ state, due, inFlight }: Lane): number {
  const atOnce = state.failures > 0 ? 1 : ENDPOINT_AT_ONCE;
  if (!state.enabled || inFlight >= atOnce || due.firstKey === undefined) return Number.POSITIVE_INFINITY;
  return Math.max(due.firstKey, state.pausedUntilMs);
}

function oldestOf({ waiting, inFlight }: Lane): number {
  // What is on its way settles by itself; its lane is looked at again then.
  if (inFlight > 0) return Number.POSITIVE_INFINITY;
  for (const { acceptedMs } of waiting.values()) return acceptedMs;
  return Number.POSITIVE_INFINITY;
}
