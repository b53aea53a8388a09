import type { ReserveAnswer, ReserveRequest } from "../../core/limits/api.ts";

/** A caller that waits until its reservation is granted. */
interface Waiting {
  readonly limit: string;
  readonly request: ReserveRequest;
  readonly untilMs: number;
  readonly answer: (answer: ReserveAnswer | null) => void;
}

/** Callers that wait, at most: each of them is a request that is open. */
const MAX_WAITING = 1_000;
/** Time that a limit is looked at again where nobody knows when something comes back. */
const UNKNOWN_MS = 1_000;

/**
 * Callers that wait for a limit, in the order in which they came: the first is served before the second is looked at, so that
 * no large reservation starves beside small ones. They are in memory alone. When the object ends their requests end with it,
 * and they ask again.
 */
export class WaitingReservations {
  readonly #reserve: (limit: string, request: ReserveRequest) => ReserveAnswer | null;
  #waiting: Waiting[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param reserve - tries once; `null`: there is no such limit */
  constructor(reserve: (limit: string, request: ReserveRequest) => ReserveAnswer | null) {
    this.#reserve = reserve;
  }

  ask(limit: string, request: ReserveRequest): Promise<ReserveAnswer | null> | ReserveAnswer | null {
    const mayWait = request.wait_ms > 0 && this.#waiting.length < MAX_WAITING;
    if (!mayWait || !this.#waiting.some((one) => one.limit === limit)) {
      const answer = this.#reserve(limit, request);
      if (!mayWait || answer === null || answer.granted || answer.final === true) return answer;
    }
    return new Promise((resolve) => {
      this.#waiting.push({ limit, request, untilMs: Date.now() + request.wait_ms, answer: resolve });
      this.serve();
    });
  }

  /** Looks at all who wait: to be called when something may have come back. */
  serve(): void {
    const nowMs = Date.now();
    const blocked = new Set<string>();
    const left: Waiting[] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    for (const one of this.#waiting) {
      const isOver = nowMs >= one.untilMs;
      if (!isOver && blocked.has(one.limit)) {
        left.push(one);
        nextMs = Math.min(nextMs, one.untilMs);
        continue;
      }
      const answer = this.#reserve(one.limit, one.request);
      if (answer === null || answer.granted || answer.final === true || isOver) one.answer(answer);
      else {
        // Whose budget is used up stands in nobody else's way.
        if (answer.why !== "budget") blocked.add(one.limit);
        left.push(one);
        const freeMs = answer.closed_until === undefined ? nowMs + UNKNOWN_MS : Date.parse(answer.closed_until);
        nextMs = Math.min(nextMs, one.untilMs, Math.max(freeMs, nowMs + 1));
      }
    }
    this.#waiting = left;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer =
      nextMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(() => this.serve(), Math.max(1, nextMs - nowMs));
  }
}
