import {
  DeliveryScheduler,
  type EndpointState,
  MAX_HESITANT_IN_FLIGHT,
  MAX_IN_FLIGHT,
  MAX_IN_FLIGHT_PER_ENDPOINT,
  SLOW_MS,
  type WaitingDelivery,
} from "../../../src/core/webhooks/delivery-scheduler.ts";
import { classifyResponse, MAX_AGE_MS, MAX_ATTEMPTS } from "../../../src/core/webhooks/schedule.ts";

export const open = (): EndpointState => ({
  enabled: true,
  gone: false,
  failures: 0,
  pausedUntilMs: 0,
  failingSinceMs: null,
});

/** In seconds: delays after the first attempt, the second and so on. */
const DELAYS = [5, 30, 120, 600, 1_800, 3_600, 10_800, 21_600, 43_200];
const retryDelayMs = (times: number) => (DELAYS[Math.min(times, DELAYS.length) - 1] ?? 0) * 1_000;

interface ModelDelivery extends WaitingDelivery {
  inFlight: boolean;
  startedMs?: number;
}

/** The scheduler and a model of it, as slow and obvious as possible: a list that is searched each time. */
export class SchedulerWithModel {
  nowMs = 0;
  real = new DeliveryScheduler(() => 0.5);
  /** States of the endpoints, in the order in which they are served. */
  readonly endpoints = new Map<string, EndpointState>();
  deliveries: ModelDelivery[] = [];
  readonly slow = new Set<string>();
  readonly ended = new Map<string, number>();
  /** Deliveries that the scheduler has given out, oldest first. */
  readonly taken: WaitingDelivery[] = [];
  #number = 0;

  put(endpoint: string, state: EndpointState): void {
    this.real.open(endpoint, { ...state });
    this.endpoints.set(endpoint, { ...state });
  }

  /** @returns the answers of the scheduler and of the model */
  accept(endpoint: string, id: string): [string, string] {
    const delivery = { number: ++this.#number, id, endpoint, acceptedMs: this.nowMs, attempts: 0, nextMs: this.nowMs };
    const state = this.endpoints.get(endpoint);
    const known = this.ended.has(id) || this.deliveries.some((other) => other.id === id);
    const expected = known
      ? "known"
      : state === undefined
        ? "unknown_endpoint"
        : state.gone
          ? "gone"
          : state.enabled
            ? "waiting"
            : "skipped";
    if (expected === "waiting") this.deliveries.push({ ...delivery, inFlight: false });
    else if (expected === "gone" || expected === "skipped") this.ended.set(id, delivery.number);
    return [this.real.accept(delivery), expected];
  }

  take(): [string | undefined, string | undefined] {
    const due = this.deliveries.filter(({ inFlight }) => inFlight).length < MAX_IN_FLIGHT;
    const endpoint = due
      ? [...this.endpoints.keys()].find((name) => this.#dueOf(name) <= this.nowMs && this.#hasPlace(name))
      : undefined;
    const firstMs = Math.min(...this.#queued(endpoint).map(({ nextMs }) => nextMs));
    const real = this.real.take(this.nowMs);
    // Of several deliveries due at one time, any may go first.
    const delivery = this.#queued(endpoint).find(({ id, nextMs }) => id === real?.id && nextMs === firstMs);
    if (delivery === undefined || real === undefined || endpoint === undefined) return [real?.id, undefined];
    delivery.inFlight = true;
    delivery.startedMs = this.nowMs;
    this.taken.push(real);
    const state = this.endpoints.get(endpoint) as EndpointState;
    this.endpoints.delete(endpoint);
    this.endpoints.set(endpoint, state);
    return [real.id, delivery.id];
  }

  settle(status: number, retryAfter: string | undefined): [unknown, unknown] {
    const taken = this.taken.shift();
    if (taken === undefined) return [undefined, undefined];
    const response = retryAfter === undefined ? { status } : { status, retryAfter };
    const real = this.real.settle(taken, classifyResponse(response, this.nowMs), this.nowMs);
    const delivery = this.deliveries.find(({ number }) => number === taken.number);
    const endpoint = this.endpoints.get(taken.endpoint);
    if (delivery === undefined || endpoint === undefined) return [real, undefined];
    delivery.inFlight = false;
    delivery.attempts++;
    if (this.nowMs - (delivery.startedMs ?? 0) > SLOW_MS) this.slow.add(taken.endpoint);
    else this.slow.delete(taken.endpoint);
    const before = { ...endpoint };
    const state = this.#classify(delivery, endpoint, status, Number(retryAfter ?? 0) * 1_000);
    if (state !== "waiting") this.#end(delivery);
    // A second 410 stores the same state once more, which does no harm.
    const endpointStateChanged = status === 410 || JSON.stringify(before) !== JSON.stringify(endpoint);
    return [
      real && { state: real.state, endpointStateChanged: real.endpointStateChanged },
      { state, endpointStateChanged },
    ];
  }

  pass(ms: number): [string, string] {
    this.nowMs += ms;
    const busy = new Set(this.deliveries.filter(({ inFlight }) => inFlight).map(({ endpoint }) => endpoint));
    const old = this.deliveries.filter(
      ({ acceptedMs, endpoint }) => acceptedMs + MAX_AGE_MS <= this.nowMs && !busy.has(endpoint),
    );
    for (const delivery of old) this.#end(delivery);
    const real = this.real.expire(this.nowMs).map(({ id }) => id);
    return [
      real.sort().join(),
      old
        .map(({ id }) => id)
        .sort()
        .join(),
    ];
  }

  close(endpoint: string): void {
    this.real.close(endpoint);
    this.endpoints.delete(endpoint);
    this.slow.delete(endpoint);
    this.deliveries = this.deliveries.filter((delivery) => delivery.endpoint !== endpoint);
  }

  /** Loses the scheduler's memory and builds it again from stored deliveries. Deliveries in flight are sent again. */
  restart(): void {
    this.real = new DeliveryScheduler(() => 0.5);
    for (const [endpoint, state] of this.endpoints) this.real.open(endpoint, { ...state });
    for (const [id, number] of this.ended) this.real.remember({ id, number });
    this.deliveries = this.deliveries.map((delivery) => ({ ...delivery, inFlight: false }));
    this.slow.clear();
    for (const { inFlight: _, startedMs: __, ...delivery } of this.deliveries) this.real.restore({ ...delivery });
    this.taken.length = 0;
  }

  get whole(): [string, string] {
    const names = ["a", "b", "c"];
    const real = names.map((name) => [this.real.waitingFor(name), this.real.stateOf(name)]);
    const model = names.map((name) => [
      this.deliveries.filter(({ endpoint }) => endpoint === name).length,
      this.endpoints.get(name),
    ]);
    const due = [...this.endpoints.keys()].map((name) =>
      Math.min(this.#dueOf(name), this.#oldestOf(name) + MAX_AGE_MS),
    );
    const nextMs = Math.min(...due);
    return [
      `${JSON.stringify(real)}, due ${this.real.nextDueMs}`,
      `${JSON.stringify(model)}, due ${nextMs === Infinity ? undefined : nextMs}`,
    ];
  }

  #classify(
    delivery: ModelDelivery,
    state: EndpointState,
    status: number,
    askedMs: number,
  ): "delivered" | "failed" | "waiting" {
    if (status === 200) {
      if (state.failures > 0) {
        Object.assign(state, { failures: 0, pausedUntilMs: 0, failingSinceMs: null });
        for (const other of this.#queued(delivery.endpoint)) other.nextMs = Math.min(other.nextMs, this.nowMs);
      }
      return "delivered";
    }
    if (status === 410) {
      Object.assign(state, { enabled: false, gone: true });
      return "failed";
    }
    if (status !== 400) {
      state.failures++;
      state.failingSinceMs ??= this.nowMs;
      const delayMs = Math.max(askedMs, Math.min(3_600_000, retryDelayMs(state.failures)));
      state.pausedUntilMs = Math.max(state.pausedUntilMs, this.nowMs + delayMs);
    }
    delivery.nextMs = this.nowMs + Math.max(askedMs, retryDelayMs(delivery.attempts));
    return delivery.attempts >= MAX_ATTEMPTS ? "failed" : "waiting";
  }

  #end(delivery: ModelDelivery): void {
    this.deliveries.splice(this.deliveries.indexOf(delivery), 1);
    this.ended.set(delivery.id, delivery.number);
  }

  #queued(endpoint: string | undefined): ModelDelivery[] {
    return this.deliveries.filter((delivery) => delivery.endpoint === endpoint && !delivery.inFlight);
  }

  #inFlight(endpoint: string): number {
    return this.deliveries.filter((delivery) => delivery.endpoint === endpoint && delivery.inFlight).length;
  }

  #hasPlace(endpoint: string): boolean {
    const hesitant = (name: string) => this.slow.has(name) || (this.endpoints.get(name)?.failures ?? 0) > 0;
    const held = this.deliveries.filter(({ endpoint: name, inFlight }) => inFlight && hesitant(name)).length;
    return !hesitant(endpoint) || held < MAX_HESITANT_IN_FLIGHT;
  }

  #dueOf(endpoint: string): number {
    const state = this.endpoints.get(endpoint);
    const queued = this.#queued(endpoint);
    if (!state?.enabled || queued.length === 0) return Infinity;
    if (this.#inFlight(endpoint) >= (state.failures > 0 ? 1 : MAX_IN_FLIGHT_PER_ENDPOINT)) return Infinity;
    return Math.max(state.pausedUntilMs, ...[Math.min(...queued.map(({ nextMs }) => nextMs))]);
  }

  #oldestOf(endpoint: string): number {
    const all = this.deliveries.filter((delivery) => delivery.endpoint === endpoint);
    if (this.#inFlight(endpoint) > 0 || all.length === 0) return Infinity;
    return Math.min(...all.map(({ acceptedMs }) => acceptedMs));
  }
}
