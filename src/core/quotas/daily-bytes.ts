import { dailyBytesLeft, type RateLimit } from "../problem/rate-limit.ts";
import type { Excess } from "./excess.ts";
import { ExcessLedger } from "./excess-ledger.ts";
import { limitOf, overQuota, type QuotaVariables, quotaOf } from "./token-quotas.ts";

const DAY_MS = 86_400_000;
/** A refused sender comes again after this: the day may be over, or the limit raised. */
const AGAIN_MS = 60_000;
/** Senders that are counted. Beyond them all counts begin anew: so many do not send gigabytes each. */
const MAX_SENDERS = 10_000;

/** Why a sender's signals are not taken now. */
export interface OverDailyBytes {
  readonly problem: ReturnType<typeof overQuota>;
  readonly retry_after_ms: number;
}

/**
 * Counts what each sender (a token, or a host) adds to a log in a day (UTC), so that none of them takes the room of all. In
 * memory: a log that sleeps in between, or is started anew, counts from zero, and a flood lets it do neither.
 */
export class DailyBytes {
  readonly #variables: QuotaVariables;
  readonly #excess = new ExcessLedger();
  #bytes = new Map<string, number>();
  #day = -1;

  constructor(variables: QuotaVariables) {
    this.#variables = variables;
  }

  /**
   * Counts a request of a sender.
   *
   * @returns why the request is refused; the request that reaches the limit is taken whole
   */
  take(sender: string, bytes: number, nowMs: number): OverDailyBytes | undefined {
    const day = Math.floor(nowMs / DAY_MS);
    if (day !== this.#day || this.#bytes.size >= MAX_SENDERS) this.#bytes = new Map();
    this.#day = day;
    const before = this.#bytes.get(sender) ?? 0;
    const megabytes = quotaOf("log_megabytes", this.#variables);
    if (before >= megabytes * 1_000_000) {
      this.#excess.note(limitOf("log_megabytes", megabytes), { sender, source: "" }, nowMs);
      return { problem: overQuota("log_megabytes", megabytes), retry_after_ms: AGAIN_MS };
    }
    this.#bytes.set(sender, before + bytes);
    return undefined;
  }

  /** Has a token that sends over HTTP told what is left of its day; hosts are told when there is nothing left. */
  telling<Outcome extends object>(
    sender: string | undefined,
    nowMs: number,
    answer: (outcome: Outcome & { readonly share?: RateLimit }) => void,
  ): (outcome: Outcome) => void {
    if (sender === undefined || !sender.startsWith("token:")) return answer;
    const share = this.#share(sender, nowMs);
    return (outcome) => answer("accepted" in outcome ? { ...outcome, share } : outcome);
  }

  #share(sender: string, nowMs: number): RateLimit {
    const megabytes = quotaOf("log_megabytes", this.#variables);
    const left = megabytes * 1_000_000 - (this.#bytes.get(sender) ?? 0);
    return dailyBytesLeft(megabytes, left, Math.ceil((DAY_MS - (nowMs % DAY_MS)) / 1_000));
  }

  /** Senders whose requests were refused lately. */
  excess(nowMs: number): Excess[] {
    return this.#excess.list(nowMs);
  }
}
