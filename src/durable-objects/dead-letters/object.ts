import type {
  BulkAnswer,
  BulkQuery,
  DeadLettersPage,
  DeadLettersQuery,
  ReplayAnswer,
} from "../../core/dead-letters/api.ts";
import type { DeadLetter } from "../../core/dead-letters/dead-letter.ts";
import { compileFilter } from "../../core/dead-letters/filter.ts";
import type { DeadLetterRecord } from "../../core/dead-letters/record.ts";
import { planReplay } from "../../core/dead-letters/replay-plan.ts";
import { type Problem, problem } from "../../core/problem/problem.ts";
import type { NewSignal } from "../../core/signals/signal.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import { Outbox } from "../shell/outbox.ts";
import { OutboxRelay } from "../shell/outbox-relay.ts";
import { DeadLetterStore, type StoredDeadLetter } from "./dead-letter-store.ts";
import { carryOutReplay, type ReplayBindings } from "./replay.ts";
import { ReplayNumbers } from "./replay-numbers.ts";

/** Dead letters older than this are deleted. */
const KEEP_MS = 30 * 86_400_000;
/** Cleaning looks once a day, and only while there is something to clean. */
const CLEAN_MS = 86_400_000;
/** Rows looked at for one page. */
const SCAN_ROWS = 1_000;
/** A page of replays ends after this, so that hosts that do not answer do not make the caller wait for ever. */
const BULK_MS = 20_000;

/** What an ecosystem could not process, why, and how often it was tried; and the way back. */
export class DeadLetters extends EcosystemObject<ReplayBindings> {
  readonly #store: DeadLetterStore;
  readonly #outbox: Outbox;
  readonly #relay: OutboxRelay;
  readonly #replaying = new Map<string, Promise<ReplayAnswer>>();

  constructor(ctx: DurableObjectState, env: ReplayBindings) {
    super(ctx, env);
    this.#store = new DeadLetterStore(this.sql);
    this.#outbox = new Outbox(this.sql, new ReplayNumbers(this.sql));
    this.#relay = new OutboxRelay({
      env,
      outbox: this.#outbox,
      ecosystem: this.ecosystem,
      name: "dead letters",
      wakeBy: (atMs) => this.alarms.wakeBy(atMs),
    });
  }

  async record(letters: readonly DeadLetterRecord[]): Promise<void> {
    const nowMs = Date.now();
    this.#change(() => {
      for (const letter of letters) this.#store.record(letter, nowMs);
    });
    this.alarms.wakeBy(nowMs + CLEAN_MS);
  }

  /** How many wait for somebody. */
  count(): number {
    return this.#store.open;
  }

  /** Newest first. */
  list({ limit, after, filter = {} }: DeadLettersQuery): DeadLettersPage {
    const { found, next } = this.#search("newest", compileFilter(filter), after, limit);
    return { dead_letters: found.map(({ letter }) => letter), next };
  }

  /**
   * Letters whose id is one of `ids` or goes on after it with a dot, and those that go back to one of `causes`: what is
   * about one signal, or one task.
   */
  about(ids: readonly string[], causes: readonly string[], limit: number): DeadLetter[] {
    const found = new Map<string, DeadLetter>();
    const keep = (look: (limit: number) => StoredDeadLetter[]) => {
      if (found.size >= limit) return;
      for (const { letter } of look(limit - found.size)) found.set(letter.id, letter);
    };
    for (const id of ids) keep((left) => this.#store.about(id, left));
    for (const cause of causes) keep((left) => this.#store.causedBy(cause, left));
    return [...found.values()];
  }

  /** Also one that was replayed, for as long as it is kept. */
  find(id: string): DeadLetter | null {
    return this.#store.find(id)?.letter ?? null;
  }

  /**
   * Sends a letter the normal way again, with its own id. Asked for again, at the same time or after a crash at any
   * point, it has its effect once: whoever receives it knows the id.
   *
   * @param mended - stands in for a signal that the log refused
   */
  replay(id: string, mended?: unknown): Promise<ReplayAnswer> {
    return this.#replayOnce(id, mended);
  }

  /** Replays one page of letters, the oldest first: their order is that of their failures. */
  replayAll(query: BulkQuery): Promise<BulkAnswer> {
    return this.#bulk(query, async ({ letter }) => {
      const answer = await this.#replayOnce(letter.id);
      return "problem" in answer ? answer.problem : undefined;
    });
  }

  discardAll(query: BulkQuery): Promise<BulkAnswer> {
    return this.#bulk(query, async ({ letter }) => {
      this.#store.discard(letter.id);
      return undefined;
    });
  }

  /** @returns whether there was such a letter */
  discard(id: string): boolean {
    return this.#store.discard(id);
  }

  override async alarm(): Promise<void> {
    const nowMs = Date.now();
    this.#store.forgetBefore(nowMs - KEEP_MS);
    // Where the log does not take what waits, the relay wakes this object again.
    await this.#relay.run();
    if (!this.#store.empty) this.alarms.wakeBy(nowMs + CLEAN_MS);
  }

  /** One replay of a dead letter at a time: a second call gets the answer of the first. */
  #replayOnce(id: string, mended?: unknown): Promise<ReplayAnswer> {
    const running = this.#replaying.get(id);
    if (running !== undefined) return running;
    const replay = this.#replay(id, mended).finally(() => this.#replaying.delete(id));
    this.#replaying.set(id, replay);
    return replay;
  }

  async #replay(id: string, mended: unknown): Promise<ReplayAnswer> {
    const stored = this.#store.find(id);
    if (stored === undefined) return { id, problem: unknownLetter };
    if (stored.closed) return { id, outcome: "already" };
    const plan = planReplay(stored.letter, mended);
    if (plan.how === "impossible") {
      const detail = plan.errors.map(({ pointer, message }) => `${pointer}: ${message}`).join("; ");
      return this.#failed(
        stored,
        problem("invalid-letter", 422, "It cannot be replayed", detail, { errors: plan.errors }),
      );
    }
    if (plan.how === "append") return this.#append(stored, plan.signal);
    const outcome = await this.#carriedOut(() => carryOutReplay(plan, stored.letter, this.env, this.ecosystem));
    if (typeof outcome !== "string") return this.#failed(stored, outcome);
    this.#store.close(stored, outcome, Date.now());
    return { id, outcome };
  }

  /** Closed and on its way to the log in one transaction, with a number there: it can be neither lost nor doubled. */
  async #append(stored: StoredDeadLetter, signal: NewSignal): Promise<ReplayAnswer> {
    this.#change(() => {
      this.#store.close(stored, "replayed", Date.now());
      this.#outbox.append(signal);
    });
    this.#relay.soon();
    await this.#relay.run();
    return { id: stored.letter.id, outcome: "replayed" };
  }

  /** Who was to do it did not answer: whether it was done is not known, and asking again finds out. */
  async #carriedOut(work: () => Promise<"replayed" | "already" | Problem>): Promise<"replayed" | "already" | Problem> {
    try {
      return await work();
    } catch (error) {
      console.warn("dead letters: a replay was interrupted", this.ecosystem, String(error));
      return problem("replay-interrupted", 503, "It is not known what came of it", "Replay it again; it is done once.");
    }
  }

  #failed(stored: StoredDeadLetter, refused: Problem): ReplayAnswer {
    this.#store.failed(stored, refused.detail ?? refused.title, Date.now());
    return { id: stored.letter.id, problem: refused };
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
      if (problem !== undefined) failed.push({ id: stored.letter.id, problem });
      last = String(stored.number);
      handled++;
    }
    const whole = dryRun || handled === found.length;
    return {
      dry_run: dryRun,
      matched: dryRun ? found.length : handled,
      done: handled - failed.length,
      failed,
      dead_letters: dryRun ? found.map(({ letter }) => letter) : [],
      next: whole ? next : (last ?? null),
    };
  }

  /** One page of letters that match; of a page that ends early, what is behind it is found with `next`. */
  #search(
    order: "newest" | "oldest",
    matches: (letter: DeadLetter) => boolean,
    after: string | undefined,
    limit: number,
  ): { found: StoredDeadLetter[]; next: string | null } {
    const from = after === undefined || !/^\d{1,15}$/.test(after) ? undefined : Number(after);
    const { found, next } = this.#store.scan(order, from, SCAN_ROWS);
    const matching = found.filter(({ letter }) => matches(letter));
    if (matching.length > limit) {
      const page = matching.slice(0, limit);
      return { found: page, next: String(page.at(-1)?.number) };
    }
    return { found: matching, next: next === null ? null : String(next) };
  }

  #change(change: () => void): void {
    this.transaction(change, () => this.#store.recount());
  }
}

const unknownLetter = problem("not-found", 404, "There is no such thing here", "There is no dead letter of this id.");
