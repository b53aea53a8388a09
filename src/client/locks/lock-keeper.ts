import { ApiProblem } from "../http/problem-errors.ts";

export interface Holding {
  readonly name: string;
  readonly fence: number;
  readonly ttlMs: number;
  /** When the request was sent that acquired the lock, by `performance.now()`. */
  readonly askedMs: number;
}

interface LockEdge {
  renew(name: string, fence: number, ttlMs: number, timeoutMs: number): Promise<unknown>;
  release(name: string, fence: number): Promise<unknown>;
}

/** The lock is not held any more, though nobody released it here. */
export class LockLost extends Error {
  override readonly name = "LockLost";
}

/** Refusals after which a lock is not held any more: its fence is another's, or the token may not hold it. */
export const isLost = (error: unknown) =>
  error instanceof ApiProblem && [401, 403, 404, 409, 422].includes(error.problem.status);

/**
 * Renews a lock after each third of its TTL, and sooner where that failed. It counts as lost when the edge says so, and when
 * its TTL is over since the last renewal was asked for: by the clock of this process, which no one sets, and which is never
 * later than that of the edge.
 */
export class LockKeeper {
  readonly name: string;
  readonly fence: number;
  readonly #edge: LockEdge;
  readonly #ttlMs: number;
  readonly #lost = new AbortController();
  #untilMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  #released: Promise<void> | undefined;

  constructor({ name, fence, ttlMs, askedMs }: Holding, edge: LockEdge) {
    this.name = name;
    this.fence = fence;
    this.#edge = edge;
    this.#ttlMs = ttlMs;
    this.#untilMs = askedMs + ttlMs;
    this.#watch();
    this.#renewIn(ttlMs / 3);
  }

  /** Aborted when the lock is lost. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** Ends the holding, once. @throws what the call throws; not where the lock is lost */
  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    this.#stop();
    if (this.signal.aborted) return;
    try {
      await this.#edge.release(this.name, this.fence);
    } catch (error) {
      // Released already by a request whose answer was lost, or lost: nothing is left to release.
      if (!isLost(error)) throw error;
    }
  }

  #renewIn(ms: number): void {
    this.#timer = setTimeout(() => void this.#renew(), ms);
  }

  async #renew(): Promise<void> {
    const askedMs = performance.now();
    try {
      await this.#edge.renew(this.name, this.fence, this.#ttlMs, Math.max(1, Math.ceil(this.#untilMs - askedMs)));
      if (this.#ended) return;
      this.#untilMs = askedMs + this.#ttlMs;
      this.#watch();
      this.#renewIn(this.#ttlMs / 3);
    } catch (error) {
      if (this.#ended) return;
      if (isLost(error)) this.#lose(error);
      else this.#renewIn(this.#ttlMs / 10);
    }
  }

  get #ended(): boolean {
    return this.#released !== undefined || this.signal.aborted;
  }

  #watch(): void {
    clearTimeout(this.#deadline);
    const overdue = () => this.#lose(new Error("it was not renewed in time"));
    this.#deadline = setTimeout(overdue, Math.max(0, this.#untilMs - performance.now()));
  }

  #lose(cause: unknown): void {
    this.#stop();
    const why = cause instanceof Error ? cause.message : String(cause);
    this.#lost.abort(new LockLost(`the lock ${this.name} is lost: ${why}`, { cause }));
  }

  #stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#deadline);
  }
}
