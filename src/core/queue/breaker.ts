import * as z from "zod";
import { doubled } from "../numbers/doubled.ts";
import type { QueueSettings } from "./queue-settings.ts";

/** The settings of a queue that its breakers go by. */
export type BreakerSettings = Pick<
  QueueSettings,
  "breaker_failures" | "breaker_rate" | "breaker_calls" | "breaker_open_ms" | "breaker_open_max_ms"
>;

/** How a call failed: its caller had no answer in time, nobody took the call, or its responder failed. */
const FailureKind = z.enum(["timeout", "no_listener", "error"]);
export type FailureKind = z.infer<typeof FailureKind>;

/** How a call ended: `answered`, refusals by the responder included; a way of failing; `neither`: that says nothing. */
export type CallEnd = FailureKind | "answered" | "neither";

const Probe = z.object({ id: z.string(), endsMs: z.number() });
const OpenFields = {
  /** When the breaker opened; a probe that fails changes nothing about that. */
  sinceMs: z.number(),
  reason: z.string(),
  failedProbes: z.int().nonnegative(),
};

/** The state of a breaker, as it is stored. */
export const BreakerState = z.discriminatedUnion("state", [
  z.object({
    state: z.literal("closed"),
    /** Calls that began before do not count. */
    sinceMs: z.number(),
    /** Calls in a row that failed. */
    failures: z.int().nonnegative(),
  }),
  z.object({ state: z.literal("open"), ...OpenFields, untilMs: z.number() }),
  z.object({ state: z.literal("half_open"), ...OpenFields, probe: Probe }),
]);
export type BreakerState = z.infer<typeof BreakerState>;
type OpenState = Extract<BreakerState, { state: "open" }>;
type TriedState = Exclude<BreakerState, { state: "closed" }>;

/** A breaker changed its state. */
export interface BreakerChange {
  readonly state: "opened" | "probe" | "closed";
  readonly atMs: number;
  /** When the breaker opened. */
  readonly sinceMs: number;
  readonly reason: string;
  /** When the next call is let through; `null`: calls are let through, or the probe is under way. */
  readonly nextProbeMs: number | null;
  /** Id of the call that is, or was, the probe; `null`: none led to the change. */
  readonly probe: string | null;
}

/** Why a call is not let through. */
export interface BreakerWait {
  readonly reason: string;
  readonly sinceMs: number;
  /** When a call is let through to try. For as long as a probe is under way: when to ask again, which is no later than its end. */
  readonly nextProbeMs: number;
}

/** What a breaker knows of a call. */
export interface BreakerCall {
  readonly id: string;
  readonly beganMs: number;
  /** When its caller stops waiting. */
  readonly endsMs: number;
}

/** Calls that ended earlier do not count for the share of those that fail. */
export const RATE_WINDOW_MS = 60_000;
/** Longest time that a caller waits. A probe that seems to take longer was begun by a clock that was set back since. */
const MAX_CALL_MS = 300_000;

const FAILED: Readonly<Record<FailureKind, string>> = {
  timeout: "had no answer in time",
  no_listener: "found nobody who took it",
  error: "met a responder that failed",
};

export const NEVER_CALLED: BreakerState = { state: "closed", sinceMs: 0, failures: 0 };

/** Whether a queue has breakers at all. */
export const hasBreakers = ({ breaker_failures, breaker_rate }: BreakerSettings) =>
  breaker_failures !== null || breaker_rate !== null;

/** How long a breaker stays open: twice as long after each probe that failed. */
function openMsAfter(failedProbes: number, { breaker_open_ms, breaker_open_max_ms }: BreakerSettings): number {
  return doubled(breaker_open_ms, Math.max(breaker_open_ms, breaker_open_max_ms), failedProbes);
}

/**
 * A circuit breaker for the calls of one recipient. closed → open, after failures in a row or when too large a share of
 * the latest calls failed; open → half open, by the first call after the open time: the probe, and the only call that is
 * let through; half open → closed when the probe is answered, and open again, for twice as long, when it is not.
 */
export class Breaker {
  #state: BreakerState;
  /** The latest calls, oldest first. Only in memory: the share begins anew after a restart. */
  #recent: { readonly atMs: number; readonly failed: boolean }[] = [];

  constructor(state: BreakerState = NEVER_CALLED) {
    this.#state = state;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Whether a new breaker would behave the same, but for the share of failures. */
  get isHealthy(): boolean {
    return this.#state.state === "closed" && this.#state.failures === 0;
  }

  /** Asks for a call to be let through. @returns why it is not, `undefined` where it is; and the changes */
  admit(
    call: BreakerCall,
    settings: BreakerSettings,
    nowMs: number,
  ): { readonly wait?: BreakerWait; readonly changes: readonly BreakerChange[] } {
    const changes = this.#endLateProbe(settings, nowMs);
    const state = this.#state;
    if (state.state === "closed") return { changes };
    const { reason, sinceMs, failedProbes } = state;
    if (state.state === "half_open") {
      // Most probes end long before their time. A caller who waited for that would find a recipient that has been well for minutes.
      const nextProbeMs = Math.min(state.probe.endsMs, nowMs + settings.breaker_open_ms);
      return { wait: { reason, sinceMs, nextProbeMs }, changes };
    }
    const nextProbeMs = this.#openUntil(state, settings, nowMs);
    if (nowMs < nextProbeMs) return { wait: { reason, sinceMs, nextProbeMs }, changes };
    const { id, endsMs } = call;
    this.#state = { state: "half_open", sinceMs, reason, failedProbes, probe: { id, endsMs } };
    const probing: BreakerChange = { state: "probe", atMs: nowMs, sinceMs, reason, nextProbeMs: null, probe: id };
    return { changes: [...changes, probing] };
  }

  /** A call that was let through has ended. @returns the changes */
  ended(call: BreakerCall, end: CallEnd, settings: BreakerSettings, nowMs: number): readonly BreakerChange[] {
    const state = this.#state;
    switch (state.state) {
      case "closed":
        if (end === "neither" || call.beganMs < state.sinceMs) return [];
        return this.#count(end, settings, nowMs);
      // Of calls that were on their way when the breaker opened, none says how the recipient is by now.
      case "open":
        return [];
      case "half_open":
        if (state.probe.id !== call.id) return [];
        if (end === "answered") return this.#close(state, nowMs);
        return this.#reopen(state, end, settings, nowMs);
    }
  }

  #count(end: "answered" | FailureKind, settings: BreakerSettings, nowMs: number): readonly BreakerChange[] {
    const state = this.#state;
    if (state.state !== "closed") return [];
    const failures = end === "answered" ? 0 : state.failures + 1;
    if (failures !== state.failures) this.#state = { ...state, failures };
    this.#recent.push({ atMs: nowMs, failed: end !== "answered" });
    while (this.#recent.length > settings.breaker_calls) this.#recent.shift();
    // An answer makes no breaker open.
    if (end === "answered") return [];
    const reason = this.#reasonToOpen(failures, end, settings, nowMs);
    return reason === undefined ? [] : this.#open({ sinceMs: nowMs, reason, failedProbes: 0 }, null, settings, nowMs);
  }

  #reasonToOpen(failures: number, end: FailureKind, settings: BreakerSettings, nowMs: number): string | undefined {
    const { breaker_failures, breaker_rate, breaker_calls } = settings;
    if (breaker_failures !== null && failures >= breaker_failures)
      return `${failures === 1 ? "a call" : `${failures} calls in a row`} failed; the last one ${FAILED[end]}`;
    if (breaker_rate === null) return undefined;
    const lately = this.#recent.filter(({ atMs }) => atMs > nowMs - RATE_WINDOW_MS && atMs <= nowMs);
    const failed = lately.filter((each) => each.failed).length;
    if (lately.length < breaker_calls || failed < breaker_rate * lately.length) return undefined;
    return `${failed} of the last ${lately.length} calls failed; the last one ${FAILED[end]}`;
  }

  #open(
    fields: Pick<TriedState, "sinceMs" | "reason" | "failedProbes">,
    probe: string | null,
    settings: BreakerSettings,
    nowMs: number,
  ): readonly BreakerChange[] {
    const { sinceMs, reason, failedProbes } = fields;
    const untilMs = nowMs + openMsAfter(failedProbes, settings);
    this.#state = { state: "open", sinceMs, reason, failedProbes, untilMs };
    this.#recent = [];
    return [{ state: "opened", atMs: nowMs, sinceMs, reason, nextProbeMs: untilMs, probe }];
  }

  #close({ sinceMs, reason, probe }: Extract<BreakerState, { state: "half_open" }>, nowMs: number): BreakerChange[] {
    this.#state = { state: "closed", sinceMs: nowMs, failures: 0 };
    this.#recent = [];
    return [{ state: "closed", atMs: nowMs, sinceMs, reason, nextProbeMs: null, probe: probe.id }];
  }

  #reopen(
    { sinceMs, reason, failedProbes, probe }: Extract<BreakerState, { state: "half_open" }>,
    end: FailureKind | "neither",
    settings: BreakerSettings,
    nowMs: number,
  ): readonly BreakerChange[] {
    if (end !== "neither")
      return this.#open(
        { sinceMs, reason: `a probe ${FAILED[end]}`, failedProbes: failedProbes + 1 },
        probe.id,
        settings,
        nowMs,
      );
    // The probe was withdrawn: the next call takes its place.
    this.#state = { state: "open", sinceMs, reason, failedProbes, untilMs: nowMs };
    return [];
  }

  /** A probe whose end this memory never learnt of, because the queue was restarted meanwhile, has failed by its time-out. */
  #endLateProbe(settings: BreakerSettings, nowMs: number): readonly BreakerChange[] {
    const state = this.#state;
    if (state.state !== "half_open") return [];
    const { endsMs } = state.probe;
    if (nowMs < endsMs && endsMs <= nowMs + MAX_CALL_MS) return [];
    return this.#reopen(state, "timeout", settings, Math.min(nowMs, endsMs));
  }

  /** @returns when the breaker lets a call through; a clock that was set back does not make it wait for longer */
  #openUntil(state: OpenState, settings: BreakerSettings, nowMs: number): number {
    const latestMs = nowMs + openMsAfter(state.failedProbes, settings);
    if (state.untilMs > latestMs) this.#state = { ...state, untilMs: latestMs };
    return Math.min(state.untilMs, latestMs);
  }
}
