import { EdgeUnreachable } from "../../src/client/http/problem-errors.ts";
import { pause } from "../../src/client/http/retry.ts";
import { MAX_WAIT_MS, type ReserveAnswer } from "../../src/core/limits/api.ts";
import type { HostReserve, HostReserveAnswer, HostSettle, HostSettleAnswer } from "../../src/core/limits/host/api.ts";
import { BLOCK_SECONDS, type HostPool } from "../../src/core/limits/host/host-pool.ts";
import { HostShare } from "../../src/core/limits/host/host-share.ts";
import { askedAmounts, type HostRecord } from "../../src/core/limits/host/records.ts";
import type { Closed } from "../../src/core/limits/outcomes.ts";
import { askOf, subjectOf } from "../../src/core/limits/request.ts";
import { formatTimestamp } from "../../src/core/signals/timestamp.ts";
import type { ReserveAtEdge } from "./limit-edge.ts";
import type { ShareJournal } from "./share-journal.ts";

interface ShareDeskOptions {
  readonly hostId: string;
  readonly reserve: ReserveAtEdge;
  readonly journal: ShareJournal;
  /** Something is to be told to the edge. */
  readonly toTell: () => void;
  /** A block could not be asked for ahead of need, for a reason that its next caller is told. */
  readonly onRemark: (text: string) => void;
  /** Time that only goes on: see hostClock. */
  readonly clock: () => number;
  readonly wall?: () => number;
}

/** After no edge answered, nobody waits for it again for so long; and twice as long each time. */
const AWAY_MS = 500;
const LONGEST_AWAY_MS = 8_000;
/** Blocks that one call asks for before it reserves alone: others may take what it waited for. */
const TRIES = 3;
/** Answers to calls that reserved alone which are known to a caller that asks again. */
const MAX_ANSWERS = 1_000;

/**
 * Answers the processes of this host out of the shares that it holds: asks for blocks, ahead of need where it can, and lets a call
 * reserve alone where no block is granted, as it would without the agent. What must outlive a crash is written before anybody
 * is answered.
 */
export class ShareDesk {
  readonly #options: ShareDeskOptions;
  readonly #share: HostShare;
  readonly #asking = new Map<HostPool, Promise<void>>();
  readonly #answers = new Map<string, Promise<HostReserveAnswer>>();
  readonly counts = { shared: 0, alone: 0, away: 0, refused: 0 };
  #away = { times: 0, untilMs: 0 };
  #timer: { readonly atMs: number; readonly timer: NodeJS.Timeout } | undefined;
  #stopped = false;

  constructor(options: ShareDeskOptions) {
    this.#options = options;
    this.#share = new HostShare(options.journal.ended);
  }

  get held() {
    return this.#share.held;
  }

  /** Whether the last call to the edge had no answer. */
  get isAway(): boolean {
    return this.#away.times > 0;
  }

  /** @throws what a refusal by the edge throws */
  async reserve(request: HostReserve, signal: AbortSignal): Promise<HostReserveAnswer> {
    const { clock, journal } = this.#options;
    const untilMs = clock() + request.wait_ms;
    for (let tries = 0, again = false; ; again = true) {
      const taken = this.#share.take(request, clock(), again);
      if (taken.kind === "granted") return this.#shared(request, taken.untilMs, signal);
      if (taken.kind === "closed") {
        if (taken.closed.untilMs > untilMs)
          return this.#refused(closedAnswer(taken.closed, this.#wallOf(taken.closed)));
        await pause(Math.max(1, taken.closed.untilMs - clock()), signal);
        if (signal.aborted) throw signal.reason;
        continue;
      }
      const { pool } = taken;
      const known = this.#answers.get(request.id);
      const isAlone = pool === undefined || clock() < pool.aloneUntilMs || ++tries > TRIES || this.#stopped;
      if (known !== undefined || isAlone) break;
      await this.#ask(pool, request);
    }
    const answer = this.#answers.get(request.id) ?? this.#alone(request, untilMs, signal);
    this.#remember(request.id, answer);
    const said = await answer;
    if (said.when_away !== undefined && said.away !== true) journal.noteWhenAway(request.limit, said.when_away);
    return said;
  }

  settle(request: HostSettle): HostSettleAnswer {
    const { clock, wall = Date.now } = this.#options;
    const { state, records, closed } = this.#share.settle(request, clock(), wall());
    this.#write(records);
    const { reservation } = request;
    return { reservation, state, ...(closed && { closed_until: formatTimestamp(this.#wallOf(closed)) }) };
  }

  /** The edge has said that the limit is closed: by a settlement of this host, or of others. */
  closed(limit: string, reason: string, wallUntilMs: number): void {
    const { clock, wall = Date.now } = this.#options;
    const nowMs = clock();
    this.#write(this.#share.close(limit, { reason, untilMs: nowMs + wallUntilMs - wall() }, nowMs));
  }

  opened(limit: string): void {
    this.#share.opened(limit);
  }

  /** Gives back all that is held. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer?.timer);
    this.#timer = undefined;
    this.#write(this.#share.stop());
  }

  #shared(request: HostReserve, untilMs: number, signal: AbortSignal): HostReserveAnswer {
    const { clock, journal } = this.#options;
    if (signal.aborted) {
      this.#write(this.#share.giveUp(request.id));
      throw signal.reason;
    }
    this.counts.shared++;
    const pool = this.#share.poolOf(request.id);
    // Ahead of need. Where it is refused, the call that needs the next block asks again, and is told why.
    if (pool?.isLow(clock()) === true && !this.#stopped)
      this.#ask(pool).catch((error: unknown) => this.#options.onRemark(`${pool.limit}: ${(error as Error).message}`));
    this.#wake();
    const when_away = journal.whenAway.get(request.limit);
    const expires_at = formatTimestamp(this.#wallOf({ untilMs }));
    return { granted: true, reservation: request.id, expires_at, ...(when_away && { when_away }) };
  }

  /** Asks for a block, once for all who want one. */
  #ask(pool: HostPool, waiting?: HostReserve): Promise<void> {
    if (waiting !== undefined) pool.wait(waiting.id, askOf(waiting));
    let asking = this.#asking.get(pool);
    if (asking === undefined) {
      asking = this.#askFor(pool).finally(() => this.#asking.delete(pool));
      this.#asking.set(pool, asking);
    }
    return waiting === undefined ? asking : asking.finally(() => pool.endWait(waiting.id));
  }

  async #askFor(pool: HostPool): Promise<void> {
    const { clock } = this.#options;
    if (clock() < this.#away.untilMs) return this.#share.refused(pool, clock());
    for (const least of [false, true]) {
      const wish = pool.wish(least, clock());
      const askedMs = clock();
      const answer = await this.#atEdge(pool.limit, {
        amounts: askedAmounts(wish.use),
        ...pool.subject,
        share: { calls: wish.calls, seconds: BLOCK_SECONDS, host: this.#options.hostId },
      });
      if (answer?.reservation !== undefined) {
        this.#write(this.#share.granted(pool, wish, answer.reservation, askedMs, answer.counts));
        return;
      }
      // What is closed, tried or spent is so for less, too.
      if (answer === undefined || !SMALLER_FITS.has(answer.why)) break;
    }
    this.#share.refused(pool, clock());
  }

  /** Without a share: the edge is asked for this call, and what it says is passed on. */
  async #alone(request: HostReserve, untilMs: number, signal: AbortSignal): Promise<HostReserveAnswer> {
    const { clock } = this.#options;
    const { amounts, model, ...names } = request;
    const wait_ms = Math.max(0, Math.min(MAX_WAIT_MS, Math.ceil(untilMs - clock())));
    const answer =
      clock() < this.#away.untilMs
        ? undefined
        : await this.#atEdge(
            request.limit,
            { amounts, ...subjectOf(names), ...(model !== undefined && { model }), wait_ms },
            signal,
          );
    if (answer === undefined) return this.#whenAway(request);
    this.counts[answer.granted ? "alone" : "refused"]++;
    return answer;
  }

  /** @returns `undefined`: no edge answers */
  async #atEdge(limit: string, ...request: DropFirst<Parameters<ReserveAtEdge>>): Promise<ReserveAnswer | undefined> {
    try {
      const answer = await this.#options.reserve(limit, ...request);
      this.#away = { times: 0, untilMs: 0 };
      if (answer.when_away !== undefined) this.#options.journal.noteWhenAway(limit, answer.when_away);
      if (answer.why === "closed" && answer.closed_until !== undefined)
        this.closed(limit, answer.detail ?? "the limit is closed", Date.parse(answer.closed_until));
      return answer;
    } catch (error) {
      if (!(error instanceof EdgeUnreachable)) throw error;
      const times = this.#away.times + 1;
      const awayMs = Math.min(LONGEST_AWAY_MS, AWAY_MS * 2 ** Math.min(times, 10));
      this.#away = { times, untilMs: this.#options.clock() + awayMs };
      return undefined;
    }
  }

  #whenAway({ id, limit, when_away: given }: HostReserve): HostReserveAnswer {
    const when_away = given ?? this.#options.journal.whenAway.get(limit) ?? "open";
    if (when_away === "closed") {
      this.counts.refused++;
      return { granted: false, away: true, when_away, detail: "no edge answers, and the limit is closed then" };
    }
    this.counts.away++;
    // The id of the call, so that what is told again counts once.
    return { granted: true, away: true, when_away, reservation: `away-${id.slice(2)}` };
  }

  #refused(answer: HostReserveAnswer): HostReserveAnswer {
    this.counts.refused++;
    return answer;
  }

  /** A caller whose answer was lost asks again, and holds nothing twice. What was refused is asked for anew. */
  #remember(id: string, answer: Promise<HostReserveAnswer>): void {
    this.#answers.set(id, answer);
    const forget = () => this.#answers.delete(id);
    answer.then(({ granted }) => (granted ? undefined : forget()), forget);
    if (this.#answers.size > MAX_ANSWERS) this.#answers.delete(this.#answers.keys().next().value ?? id);
  }

  #wallOf({ untilMs }: Pick<Closed, "untilMs">): number {
    const { clock, wall = Date.now } = this.#options;
    return Math.round(wall() + untilMs - clock());
  }

  #write(records: readonly HostRecord[]): void {
    const { journal, wall = Date.now, toTell, onRemark } = this.#options;
    try {
      journal.write(records, wall());
    } catch (error) {
      // The disk is full: what is held in memory is right, and callers must not tell it to the edge as well. What could not be
      // written to be told expires at the edge.
      onRemark(`what was used could not be written: ${(error as Error).message}`);
    }
    if (records.some(({ kind }) => kind === "settlement")) toTell();
    this.#wake();
  }

  /** A timer only while something is held. */
  #wake(): void {
    if (this.#stopped) return;
    const { clock } = this.#options;
    const atMs = this.#share.nextMs(clock());
    if (atMs === undefined) return;
    if (this.#timer !== undefined && this.#timer.atMs <= atMs) return;
    clearTimeout(this.#timer?.timer);
    const timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#write(this.#share.advance(clock()));
        this.#wake();
      },
      Math.max(10, atMs - clock()),
    );
    timer.unref();
    this.#timer = { atMs, timer };
  }
}

type DropFirst<List extends unknown[]> = List extends [unknown, ...infer Rest] ? Rest : never;

/** Where less may be granted although so much is not. */
const SMALLER_FITS: ReadonlySet<ReserveAnswer["why"]> = new Set([
  "concurrency",
  "requests_per_minute",
  "input_tokens_per_minute",
  "output_tokens_per_minute",
  "usd_per_day",
  "budget",
  "too_large",
] as const);

const closedAnswer = ({ reason }: Closed, untilMs: number): HostReserveAnswer => ({
  granted: false,
  why: "closed",
  detail: reason,
  closed_until: formatTimestamp(untilMs),
});
