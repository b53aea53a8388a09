import type {
  BulkAnswer,
  BulkQuery,
  DeadLettersPage,
  DeadLettersQuery,
  ReplayAnswer,
} from "../../core/dead-letters/api.ts";
import type { DeadLetter, DeadLetterRecord } from "../../core/dead-letters/dead-letter.ts";
import { type DeadLetterSummary, digestOf } from "../../core/dead-letters/digest.ts";
import { compileFilter } from "../../core/dead-letters/filter.ts";
import { reachedLimit } from "../../core/dead-letters/growth.ts";
import { EDGE, ownerOf } from "../../core/dead-letters/owner.ts";
import { planReplay } from "../../core/dead-letters/replay-plan.ts";
import { withoutTaskContents } from "../../core/dead-letters/task-contents.ts";
import { deadLetterSamples } from "../../core/metrics/samples.ts";
import { type Problem, problem } from "../../core/problem/problem.ts";
import type { Excess } from "../../core/quotas/excess.ts";
import { ExcessLedger } from "../../core/quotas/excess-ledger.ts";
import { limitOf, type QuotaVariables, quotaOf } from "../../core/quotas/token-quotas.ts";
import type { NewSignal } from "../../core/signals/signal.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import { Outbox } from "../shell/outbox.ts";
import { OutboxRelay } from "../shell/outbox-relay.ts";
import type { Schema } from "../shell/schema.ts";
import { DeadLetterStore, type StoredDeadLetter } from "./dead-letter-store.ts";
import { deadLettersErasure } from "./erasure.ts";
import { replays } from "./migrations/2-replays.ts";
import { carryOutReplay, outcomeOf, type ReplayBindings } from "./replay.ts";
import { ReplayNumbers } from "./replay-numbers.ts";
import { WatchedLetters } from "./watched-letters.ts";

/** Dead letters older than this are deleted. */
const KEEP_MS = 30 * 86_400_000;
/** Old dead letters are deleted once in this time, in milliseconds, and only while there are dead letters. */
const CLEAN_MS = 86_400_000;
/** Maximum number of rows read for one page. */
const SCAN_ROWS = 1_000;
/** Dead letters that a summary names. */
const SUMMED_UP = 50;
/** A bulk call starts no further replay after this time, in milliseconds: hosts that do not answer must not block it. */
const BULK_MS = 20_000;

/** The dead letters of one ecosystem: items that could not be processed, with the reason; replays them. */
export class DeadLetters extends EcosystemObject<ReplayBindings & QuotaVariables> {
  static override readonly schema: Schema = { of: "DeadLetters", steps: [replays], erasure: deadLettersErasure };
  readonly #store: DeadLetterStore;
  readonly #outbox: Outbox;
  readonly #relay: OutboxRelay;
  /** In memory alone: who goes on sending too many is named again. */
  readonly #excess = new ExcessLedger();
  readonly #replaying = new Map<string, Promise<ReplayAnswer>>();
  readonly #watched: WatchedLetters;

  constructor(ctx: DurableObjectState, env: ReplayBindings & QuotaVariables) {
    super(ctx, env);
    this.#store = new DeadLetterStore(this.sql);
    this.#outbox = new Outbox(this.sql, new ReplayNumbers(this.sql));
    this.#watched = new WatchedLetters({ ctx, env, ecosystem: this.ecosystem });
    this.reports.of(() => ({ samples: deadLetterSamples(this.#store.open, this.#store.everRecorded), folded: 0 }));
    this.#relay = new OutboxRelay({
      env,
      outbox: this.#outbox,
      ecosystem: this.ecosystem,
      name: "dead letters",
      wakeBy: (atMs) => this.alarms.wakeBy(atMs),
    });
  }

  async record(records: readonly DeadLetterRecord[]): Promise<void> {
    const nowMs = Date.now();
    const before = this.#store.open;
    const growing = this.#change(() => {
      for (const record of records) this.#store.record(record, nowMs);
      return this.#tellGrowth(before, nowMs);
    });
    if (growing) this.ctx.waitUntil(this.#relay.run());
    this.#trim(new Set(records.map(ownerOf)), nowMs);
    this.#watched.came(records);
    this.alarms.wakeBy(nowMs + CLEAN_MS);
  }

  /** Number of dead letters that wait to be replayed or discarded. */
  count(): number {
    return this.#store.open;
  }

  /** As {@link count}, and the hosts whose oldest dead letters gave way lately. */
  overview(): { readonly open: number; readonly excess: Excess[] } {
    return { open: this.#store.open, excess: this.#excess.list(Date.now()) };
  }

  /** How many wait, and the newest of them without what they hold. */
  summary(): DeadLetterSummary {
    const { open } = this.#store;
    const newest = open === 0 ? [] : this.#store.newestOpen(SUMMED_UP);
    return { open, newest: newest.map(({ deadLetter }) => digestOf(deadLetter)) };
  }

  /** Newest first. */
  list({ limit, after, filter = {}, readsTasks = true }: DeadLettersQuery): DeadLettersPage {
    const matches = compileFilter(filter);
    const shown = readsTasks ? (deadLetter: DeadLetter) => deadLetter : withoutTaskContents;
    const { found, next } = this.#search("newest", (deadLetter) => matches(shown(deadLetter)), after, limit);
    return { dead_letters: found.map(({ deadLetter }) => shown(deadLetter)), next };
  }

  /**
   * Dead letters about one signal or one task: those whose id is one of `ids` or starts with one and a dot, and those
   * caused by one of `causes`.
   */
  about(ids: readonly string[], causes: readonly string[], limit: number): DeadLetter[] {
    const found = this.#store.about(ids, causes, limit);
    return [...new Map(found.map(({ deadLetter }) => [deadLetter.id, deadLetter])).values()];
  }

  /** Finds a dead letter, including a replayed one as long as its row is kept. */
  find(id: string): DeadLetter | null {
    return this.#store.find(id)?.deadLetter ?? null;
  }

  /**
   * Processes a dead letter again, under its own id. Repeated calls, at the same time or after a crash at any point,
   * have one effect: the receiver recognises the id.
   * @param replacement - replaces a signal that the log refused
   */
  replay(id: string, replacement?: unknown): Promise<ReplayAnswer> {
    return this.#replayOnce(id, replacement).finally(() => this.#watched.went());
  }

  /** Replays one page of dead letters, oldest first: in the order in which they failed. */
  replayAll(query: BulkQuery): Promise<BulkAnswer> {
    return this.#bulk(query, async ({ deadLetter }) => {
      const answer = await this.#replayOnce(deadLetter.id);
      return "problem" in answer ? answer.problem : undefined;
    });
  }

  discardAll(query: BulkQuery): Promise<BulkAnswer> {
    return this.#bulk(query, async ({ deadLetter }) => {
      this.#store.discard(deadLetter.id);
      return undefined;
    });
  }

  /** @returns whether an open dead letter of this id existed */
  discard(id: string): boolean {
    const existed = this.#store.discard(id);
    this.#watched.went();
    return existed;
  }

  override async alarm(): Promise<void> {
    const nowMs = Date.now();
    this.#store.forgetBefore(nowMs - KEEP_MS);
    // Where the log does not accept the waiting signals, the relay sets another alarm.
    await this.#relay.run();
    if (!this.#store.empty) this.alarms.wakeBy(nowMs + CLEAN_MS);
  }

  /** One replay of a dead letter at a time: a second call gets the answer of the first. */
  #replayOnce(id: string, replacement?: unknown): Promise<ReplayAnswer> {
    const running = this.#replaying.get(id);
    if (running !== undefined) return running;
    const replay = this.#replay(id, replacement).finally(() => this.#replaying.delete(id));
    this.#replaying.set(id, replay);
    return replay;
  }

  async #replay(id: string, replacement: unknown): Promise<ReplayAnswer> {
    const stored = this.#store.find(id);
    if (stored === undefined) return { id, problem: unknownDeadLetter(id) };
    if (stored.closed) return { id, outcome: "already" };
    const plan = planReplay(stored.deadLetter, replacement);
    if (plan.how === "impossible") {
      const detail = plan.errors.map(({ pointer, message }) => `${pointer}: ${message}`).join("; ");
      return this.#refuse(
        stored,
        problem("invalid-letter", 422, "The dead letter cannot be replayed", detail, { errors: plan.errors }),
      );
    }
    if (plan.how === "append") return this.#append(stored, plan.signal);
    const outcome = await outcomeOf(this.ecosystem, () =>
      carryOutReplay(plan, stored.deadLetter, this.env, this.ecosystem),
    );
    if (typeof outcome !== "string") return this.#refuse(stored, outcome);
    this.#store.close(stored, outcome, Date.now());
    return { id, outcome };
  }

  /**
   * Closes the dead letter and puts its signal into the outbox in one transaction. The log recognises the number of the
   * signal, so it is neither lost nor appended twice.
   */
  async #append(stored: StoredDeadLetter, signal: NewSignal): Promise<ReplayAnswer> {
    this.#change(() => {
      this.#store.close(stored, "replayed", Date.now());
      this.#outbox.append(signal);
    });
    this.#relay.soon();
    await this.#relay.run();
    return { id: stored.deadLetter.id, outcome: "replayed" };
  }

  #refuse(stored: StoredDeadLetter, refused: Problem): ReplayAnswer {
    this.#store.recordFailedReplay(stored, refused.detail ?? refused.title, Date.now());
    return { id: stored.deadLetter.id, problem: refused };
  }

  async #bulk(
    { filter, limit, after, dryRun }: BulkQuery,
    act: (stored: StoredDeadLetter) => Promise<Problem | undefined>,
  ): Promise<BulkAnswer> {
    const startedMs = Date.now();
    const { found, next } = this.#search("oldest", compileFilter(filter), after, limit);
    const failed: { id: string; problem: Problem }[] = [];
    let handled = 0;
    let last: string | undefined;
    for (const stored of dryRun ? [] : found) {
      if (handled > 0 && Date.now() - startedMs > BULK_MS) break;
      const problem = await act(stored);
      if (problem !== undefined) failed.push({ id: stored.deadLetter.id, problem });
      last = String(stored.number);
      handled++;
    }
    if (handled > 0) this.#watched.went();
    const whole = dryRun || handled === found.length;
    return {
      dry_run: dryRun,
      matched: dryRun ? found.length : handled,
      done: handled - failed.length,
      failed,
      dead_letters: dryRun ? found.map(({ deadLetter }) => deadLetter) : [],
      next: whole ? next : (last ?? null),
    };
  }

  /** Finds one page of the dead letters that match. `next` continues after a page that ended early. */
  #search(
    order: "newest" | "oldest",
    matches: (deadLetter: DeadLetter) => boolean,
    after: string | undefined,
    limit: number,
  ): { found: StoredDeadLetter[]; next: string | null } {
    const from = after === undefined || !/^\d{1,15}$/.test(after) ? undefined : Number(after);
    const { found, next } = this.#store.scan(order, from, SCAN_ROWS);
    const matching = found.filter(({ deadLetter }) => matches(deadLetter));
    if (matching.length > limit) {
      const page = matching.slice(0, limit);
      return { found: page, next: String(page.at(-1)?.number) };
    }
    return { found: matching, next: next === null ? null : String(next) };
  }

  /** Hosts send dead letters as they like: of one that sends too many the oldest ones go, and those of others stay. */
  #trim(owners: ReadonlySet<string>, nowMs: number): void {
    const limit = quotaOf("dead_letters", this.env);
    for (const owner of owners) {
      if (owner === EDGE) continue;
      const deleted = this.#store.trim(owner, limit);
      const party = { sender: `host:${owner}`, source: owner };
      if (deleted > 0) this.#excess.note(limitOf("dead_letters", limit), party, nowMs, deleted);
    }
  }

  /** Tells that many dead letters wait, at 20, 40, 80 and so on. @returns whether it did */
  #tellGrowth(before: number, nowMs: number): boolean {
    const { open } = this.#store;
    const limit = reachedLimit(before, open);
    if (limit === undefined) return false;
    const draft = { signal: "Q_DEAD_LETTERS_GROWING", source: "ganglion/dead-letters", timestampMs: nowMs };
    this.#outbox.emit({ ...draft, facts: { open, limit } });
    this.#relay.soon();
    return true;
  }

  #change<Result>(change: () => Result): Result {
    return this.transaction(change, () => this.#store.recount());
  }
}

const unknownDeadLetter = (id: string) =>
  problem("not-found", 404, "Not found", `No dead letter "${id}". List dead letters: GET /v1/{eco}/dead-letters`);
