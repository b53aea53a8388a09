import type { IntelligenceContext } from "../../core/intelligence/context.ts";
import type { OutcomeInput, RolloutState } from "../../core/intelligence/rollout/api.ts";
import { armOutcomeOf } from "../../core/intelligence/rollout/arm-outcome.ts";
import { AskerState } from "../../core/intelligence/rollout/asker-state.ts";
import type { Signal } from "../../core/signals/signal.ts";
import { backoffMs, isTransient, pause } from "../http/retry.ts";
import type { FollowOptions } from "../stream/follow.ts";

export interface AskerRolloutOptions {
  /** Sends a report; resolves with the state of the roll-out. */
  readonly report: (report: OutcomeInput, limits: { signal: AbortSignal; timeoutMs: number }) => Promise<RolloutState>;
  /** Follows the log, so that changes come by themselves; absent: they come with the answers to reports alone. */
  readonly follow?: ((options: FollowOptions) => AsyncIterable<Signal>) | undefined;
  /** Whether outcomes are measured and reported; default true. The share counts either way. */
  readonly measured?: boolean;
  /** How long outcomes are gathered before they are reported, in milliseconds; default 10,000. */
  readonly everyMs?: number;
  readonly onRemark?: (text: string) => void;
}

const SIGNALS = ["Q_ROLLOUT_CHANGED", "Q_ROLLOUT_ROLLED_BACK"];
/** Who emits them. */
const SOURCE = "ganglion/intelligence";
/** Longest wait for the first state: a request waits for it once in the life of the process. */
const FIRST_MS = 1_000;
const REPORT_MS = 10_000;
const LAST_MS = 2_000;
const MAX_PAUSE_MS = 30_000;

/**
 * The asker's side of the roll-out. Knows the share, which the edge pushes, and reports what both arms measure: every ten
 * seconds while there is something, and at once an answer that belongs to another request or cannot be read.
 */
export class AskerRollout {
  readonly #options: AskerRolloutOptions;
  readonly #state = new AskerState(crypto.randomUUID());
  readonly #closing = new AbortController();
  /** Aborted when even the last report has had its time. */
  readonly #ended = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sending: Promise<void> | undefined;
  #first: Promise<void> | undefined;
  /** The edge takes no reports of this asker. */
  #refused = false;
  /** The edge did not answer the last report. */
  #away = false;

  constructor(options: AskerRolloutOptions) {
    this.#options = options;
  }

  /** Resolves when the share is known, or cannot be learnt now; the first call asks for it. Never rejects. */
  ready(): Promise<void> {
    this.#first ??= this.#begin();
    return this.#first;
  }

  /** Percent of the keys that ask live hosts. */
  get share(): number {
    return this.#state.share;
  }

  /** Takes the outcome of a request. */
  gathered(context: IntelligenceContext, liveMs: number | undefined): void {
    const measured = this.#options.measured === false ? undefined : armOutcomeOf(context, liveMs);
    if (measured === undefined || this.#refused || this.#closing.signal.aborted) return;
    const { arm, outcomes } = measured;
    this.#state.add(arm, outcomes);
    if (outcomes.mismatches > 0 || outcomes.corrupted > 0) void this.flush();
    else this.#later();
  }

  /** Reports what was measured. Never rejects: what could not be sent is sent with the next report. */
  async flush(): Promise<void> {
    // A report that is on its way does not hold what was measured since.
    await this.#sending;
    await this.#send(REPORT_MS);
  }

  /** Reports what is left, for two seconds at most, unless the edge is away, and ends. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    clearTimeout(this.#timer);
    const timer = setTimeout(() => this.#ended.abort(), LAST_MS);
    await this.#sending;
    if (this.#state.owes && !this.#away) await this.#send(LAST_MS);
    clearTimeout(timer);
  }

  async #begin(): Promise<void> {
    if (this.#options.follow !== undefined) void this.#follow(this.#options.follow);
    await this.#send(FIRST_MS, true);
  }

  #later(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.flush();
    }, this.#options.everyMs ?? 10_000);
    // A program that has done its work does not stay for a report; close() sends it.
    this.#timer.unref?.();
  }

  /** One at a time. @param ask - also where there is nothing to report: for the state alone */
  #send(timeoutMs: number, ask = false): Promise<void> {
    this.#sending ??= this.#sendAll(timeoutMs, ask).finally(() => {
      this.#sending = undefined;
    });
    return this.#sending;
  }

  async #sendAll(timeoutMs: number, ask: boolean): Promise<void> {
    let surely = false;
    for (let again = ask; !this.#refused && (again || this.#state.owes); ) {
      const report = this.#state.next();
      try {
        const state = await this.#options.report(report, { timeoutMs, signal: this.#ended.signal });
        this.#away = false;
        this.#state.confirmed(report);
        // An edge that was set back to a backup has an older version: it says so a second time.
        again = !this.#state.learn(state, surely);
        surely = again;
      } catch (error) {
        if (this.#ended.signal.aborted) return;
        this.#away = isTransient(error);
        if (!this.#away) this.#refuse(error);
        else if (this.#state.owes && !this.#closing.signal.aborted) this.#later();
        return;
      }
    }
  }

  /** An edge of an earlier version knows no roll-out, and a token may lack the scope: the settings' share counts. */
  #refuse(error: unknown): void {
    this.#refused = true;
    this.#options.onRemark?.(`the roll-out is not known, and outcomes are not reported: ${(error as Error).message}`);
  }

  async #follow(follow: NonNullable<AskerRolloutOptions["follow"]>): Promise<void> {
    const { signal } = this.#closing;
    // What changed while no stream was open: asked for once it is, and not by a question that was sent before.
    const onOpen = () => void Promise.resolve(this.#sending).then(() => this.#send(REPORT_MS, true));
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        for await (const { source, facts } of follow({ signals: SIGNALS, signal, onOpen })) {
          const { share, version } = facts;
          // An administrator may emit such a signal to try a rule: it is not the edge's.
          if (source === SOURCE && typeof share === "number" && typeof version === "number")
            this.#state.learn({ share, version });
          attempt = 1;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!isTransient(error)) {
          const why = (error as Error).message;
          this.#options.onRemark?.(`changes of the roll-out are learnt with reports alone: ${why}`);
          return;
        }
      }
      await pause(backoffMs(attempt, MAX_PAUSE_MS), signal);
    }
  }
}
