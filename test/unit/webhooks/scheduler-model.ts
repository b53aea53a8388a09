import {
  AT_ONCE,
  DeliveryScheduler,
  ENDPOINT_AT_ONCE,
  type EndpointQueueState,
  type Waiting,
} from "../../../src/core/webhooks/delivery-scheduler.ts";
import { GIVE_UP_MS, judge, MAX_ATTEMPTS } from "../../../src/core/webhooks/schedule.ts";

export const open = (): EndpointQueueState => ({
  ...{ enabled: true, gone: false, failures: 0, pausedUntilMs: 0, failingSinceMs: null },
});

/** R40, in seconds: pauses after the first attempt, the second and so on. */
const PAUSES = [5, 30, 120, 600, 1_800, 3_600, 10_800, 21_600, 43_200];
const pauseMs = (times: number) => (PAUSES[Math.min(times, PAUSES.length) - 1] ?? 0) * 1_000;

interface Letter extends Waiting {
  onTheWay: boolean;
}

/** The desk as slow and obvious as it can be, beside the real one: a list that is gone through each time. */
export class DeskWithModel {
  nowMs = 0;
  real = new DeliveryScheduler(() => 0.5);
  /** In the order in which they are served. */
  readonly lanes = new Map<string, EndpointQueueState>();
  letters: Letter[] = [];
  readonly ended = new Map<string, number>();
  /** What the real one has given out, oldest first. */
  readonly taken: Waiting[] = [];
  #number = 0;

  put(endpoint: string, state: EndpointQueueState): void {
    this.real.open(endpoint, { ...state });
    this.lanes.set(endpoint, { ...state });
  }

  /** @returns what both say of it */
  come(endpoint: string, id: string): [string, string] {
    const delivery = { number: ++this.#number, id, endpoint, acceptedMs: this.nowMs, attempts: 0, nextMs: this.nowMs };
    const lane = this.lanes.get(endpoint);
    const known = this.ended.has(id) || this.letters.some((letter) => letter.id === id);
    const expected = known
      ? "known"
      : lane === undefined
        ? "unknown_endpoint"
        : lane.gone
          ? "gone"
          : lane.enabled
            ? "waiting"
            : "skipped";
    if (expected === "waiting") this.letters.push({ ...delivery, onTheWay: false });
    else if (expected === "gone" || expected === "skipped") this.ended.set(id, delivery.number);
    return [this.real.accept(delivery), expected];
  }

  take(): [string | undefined, string | undefined] {
    const due = this.letters.filter(({ onTheWay }) => onTheWay).length < AT_ONCE;
    const endpoint = due ? [...this.lanes.keys()].find((lane) => this.#dueOf(lane) <= this.nowMs) : undefined;
    const firstMs = Math.min(...this.#queued(endpoint).map(({ nextMs }) => nextMs));
    const real = this.real.take(this.nowMs);
    // Of those that are due at one time any may go first.
    const letter = this.#queued(endpoint).find(({ id, nextMs }) => id === real?.id && nextMs === firstMs);
    if (letter === undefined || real === undefined || endpoint === undefined) return [real?.id, undefined];
    letter.onTheWay = true;
    this.taken.push(real);
    const state = this.lanes.get(endpoint) as EndpointQueueState;
    this.lanes.delete(endpoint);
    this.lanes.set(endpoint, state);
    return [real.id, letter.id];
  }

  answer(status: number, retryAfter: string | undefined): [unknown, unknown] {
    const delivery = this.taken.shift();
    if (delivery === undefined) return [undefined, undefined];
    const answer = retryAfter === undefined ? { status } : { status, retryAfter };
    const real = this.real.settle(delivery, judge(answer, this.nowMs), this.nowMs);
    const letter = this.letters.find(({ number }) => number === delivery.number);
    const lane = this.lanes.get(delivery.endpoint);
    if (letter === undefined || lane === undefined) return [real, undefined];
    letter.onTheWay = false;
    letter.attempts++;
    const before = { ...lane };
    const state = this.#judge(letter, lane, status, Number(retryAfter ?? 0) * 1_000);
    if (state !== "waiting") this.#end(letter);
    // A second 410 writes once more what is written, which does no harm.
    const laneChanged = status === 410 || JSON.stringify(before) !== JSON.stringify(lane);
    return [real && { state: real.state, laneChanged: real.laneChanged }, { state, laneChanged }];
  }

  pass(ms: number): [string, string] {
    this.nowMs += ms;
    const busy = new Set(this.letters.filter(({ onTheWay }) => onTheWay).map(({ endpoint }) => endpoint));
    const old = this.letters.filter(
      ({ acceptedMs, endpoint }) => acceptedMs + GIVE_UP_MS <= this.nowMs && !busy.has(endpoint),
    );
    for (const letter of old) this.#end(letter);
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
    this.lanes.delete(endpoint);
    this.letters = this.letters.filter((letter) => letter.endpoint !== endpoint);
  }

  /** Its memory is lost, and built again from what is stored. What was on its way is sent again. */
  restart(): void {
    this.real = new DeliveryScheduler(() => 0.5);
    for (const [endpoint, state] of this.lanes) this.real.open(endpoint, { ...state });
    for (const [id, number] of this.ended) this.real.remember({ id, number });
    this.letters = this.letters.map((letter) => ({ ...letter, onTheWay: false }));
    for (const { onTheWay: _, ...delivery } of this.letters) this.real.restore({ ...delivery });
    this.taken.length = 0;
  }

  get whole(): [string, string] {
    const names = ["a", "b", "c"];
    const real = names.map((name) => [this.real.waitingFor(name), this.real.stateOf(name)]);
    const model = names.map((name) => [
      this.letters.filter(({ endpoint }) => endpoint === name).length,
      this.lanes.get(name),
    ]);
    const due = [...this.lanes.keys()].map((lane) => Math.min(this.#dueOf(lane), this.#oldestOf(lane) + GIVE_UP_MS));
    const nextMs = Math.min(...due);
    return [
      `${JSON.stringify(real)}, due ${this.real.nextDueMs}`,
      `${JSON.stringify(model)}, due ${nextMs === Infinity ? undefined : nextMs}`,
    ];
  }

  #judge(
    letter: Letter,
    lane: EndpointQueueState,
    status: number,
    askedMs: number,
  ): "delivered" | "failed" | "waiting" {
    if (status === 200) {
      if (lane.failures > 0) {
        Object.assign(lane, { failures: 0, pausedUntilMs: 0, failingSinceMs: null });
        for (const other of this.#queued(letter.endpoint)) other.nextMs = Math.min(other.nextMs, this.nowMs);
      }
      return "delivered";
    }
    if (status === 410) {
      Object.assign(lane, { enabled: false, gone: true });
      return "failed";
    }
    if (status !== 400) {
      lane.failures++;
      lane.failingSinceMs ??= this.nowMs;
      const pause = Math.max(askedMs, Math.min(3_600_000, pauseMs(lane.failures)));
      lane.pausedUntilMs = Math.max(lane.pausedUntilMs, this.nowMs + pause);
    }
    letter.nextMs = this.nowMs + Math.max(askedMs, pauseMs(letter.attempts));
    return letter.attempts >= MAX_ATTEMPTS ? "failed" : "waiting";
  }

  #end(letter: Letter): void {
    this.letters.splice(this.letters.indexOf(letter), 1);
    this.ended.set(letter.id, letter.number);
  }

  #queued(endpoint: string | undefined): Letter[] {
    return this.letters.filter((letter) => letter.endpoint === endpoint && !letter.onTheWay);
  }

  #inFlight(endpoint: string): number {
    return this.letters.filter((letter) => letter.endpoint === endpoint && letter.onTheWay).length;
  }

  #dueOf(endpoint: string): number {
    const lane = this.lanes.get(endpoint);
    const queued = this.#queued(endpoint);
    if (!lane?.enabled || queued.length === 0) return Infinity;
    if (this.#inFlight(endpoint) >= (lane.failures > 0 ? 1 : ENDPOINT_AT_ONCE)) return Infinity;
    return Math.max(lane.pausedUntilMs, ...[Math.min(...queued.map(({ nextMs }) => nextMs))]);
  }

  #oldestOf(endpoint: string): number {
    const all = this.letters.filter((letter) => letter.endpoint === endpoint);
    if (this.#inFlight(endpoint) > 0 || all.length === 0) return Infinity;
    return Math.min(...all.map(({ acceptedMs }) => acceptedMs));
  }
}
