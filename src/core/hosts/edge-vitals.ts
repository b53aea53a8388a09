/** What a host watches of its edge: whether it is there, whether its rounds come, and whether its queue is worked off. */
export const EDGE_PARTS = ["edge", "cron", "queue"] as const;
export type EdgePart = (typeof EDGE_PARTS)[number];

/** A moment by both clocks of a host, in milliseconds. What is judged goes by the first alone, which nobody sets. */
export interface Moment {
  readonly steadyMs: number;
  readonly wallMs: number;
}

export interface VitalsLimits {
  /** Time without a link after which the edge counts as silent. */
  readonly edgeMs: number;
  /** Rounds that may be missing while the link is open, before the edge's cron counts as silent. */
  readonly cronPeriods: number;
  /** Time in which what the edge owes its projections may stand, before its queue counts as silent. */
  readonly queueMs: number;
}

/** What the edge says with each round. */
export interface EdgeRound {
  /** From one round to the next. */
  readonly round_ms: number;
  /** Since when its projections owe it that they took in what they were sent; absent: they owe nothing. Names the debt. */
  readonly owed_since?: number | undefined;
}

/** A part that is silent. */
export interface Silence {
  /** By the clock of the host, for people. */
  readonly sinceMs: number;
  readonly reason: string;
}

export type Silences = Readonly<Partial<Record<EdgePart, Silence>>>;

/** A part has become silent, or is back. */
export interface VitalChange {
  readonly part: EdgePart;
  readonly state: "silent" | "back";
  readonly sinceMs: number;
  /** How long it has been silent so far, or was. */
  readonly seconds: number;
  readonly reason: string;
}

/** Rounds of an edge that does not say how often they come. */
const DEFAULT_ROUND_MS = 60_000;

/**
 * Judges by its own steady clock whether the edge, its cron and its queue are alive. Each silence is one change, and its end
 * another, also over restarts of the host: what is silent is given to the next life.
 *
 * The rounds are judged in the time in which the link is open, over all its connections since the last round: a link that
 * breaks each minute hides no cron that stands still.
 */
export class EdgeVitals {
  limits: VitalsLimits;
  readonly #silent = new Map<EdgePart, Silence>();
  #changes: VitalChange[] = [];
  /** Since when there is no link; `undefined`: there is one. */
  #away: Moment | undefined;
  #reason: string;
  #linkedMs: number | undefined;
  /** Time with a link since the last round, before the present link. */
  #quietMs = 0;
  #roundMs = DEFAULT_ROUND_MS;
  /** The edge says which questions are rounds; an earlier version does not, and asks in rounds alone, mostly. */
  #namesRounds = false;
  #debt: { readonly owedSince: number; readonly seenMs: number } | undefined;

  constructor(limits: VitalsLimits, silent: Silences, at: Moment, reason = "not linked yet") {
    this.limits = limits;
    this.#away = at;
    this.#reason = reason;
    for (const part of EDGE_PARTS) {
      const silence = silent[part];
      if (silence !== undefined) this.#silent.set(part, silence);
    }
  }

  /** For the next life of the host. */
  get silent(): Silences {
    return Object.fromEntries(this.#silent);
  }

  linked(at: Moment): void {
    this.advance(at);
    if (this.#away === undefined) return;
    this.#away = undefined;
    this.#linkedMs = at.steadyMs;
    this.#back("edge", at);
  }

  lost(reason: string, at: Moment): void {
    this.advance(at);
    this.#reason = reason;
    if (this.#away !== undefined) return;
    this.#quietMs = this.#quietAt(at);
    this.#away = at;
    this.#linkedMs = undefined;
  }

  /** The edge asks this host something. @param round - `undefined`: the edge does not say that this is a round */
  asked(round: EdgeRound | undefined, at: Moment): void {
    this.advance(at);
    if (round === undefined && this.#namesRounds) return;
    if (round !== undefined) {
      this.#namesRounds = true;
      this.#roundMs = round.round_ms;
    }
    this.#quietMs = 0;
    if (this.#linkedMs !== undefined) this.#linkedMs = at.steadyMs;
    this.#back("cron", at);
    this.#settle(round?.owed_since, at);
  }

  /** Lets the time pass. */
  advance(at: Moment): void {
    if (this.#away !== undefined) {
      const awayMs = at.steadyMs - this.#away.steadyMs;
      if (awayMs >= this.limits.edgeMs) this.#fell("edge", awayMs, this.#reason, at);
      return;
    }
    const quietMs = this.#quietAt(at);
    if (quietMs < this.#cronMs) return;
    const rounds = `${this.limits.cronPeriods} rounds of ${Math.round(this.#roundMs / 1_000)} s`;
    this.#fell("cron", quietMs, `the link is open, and the edge has not asked this host for ${rounds}`, at);
  }

  /** When {@link advance} has something to do next, by the steady clock; `undefined`: nothing unless something happens. */
  get nextMs(): number | undefined {
    if (this.#away !== undefined)
      return this.#silent.has("edge") ? undefined : this.#away.steadyMs + this.limits.edgeMs;
    if (this.#linkedMs === undefined || this.#silent.has("cron")) return undefined;
    return this.#linkedMs + this.#cronMs - this.#quietMs;
  }

  /** What has changed since the last call. */
  drain(): VitalChange[] {
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }

  get #cronMs(): number {
    return this.limits.cronPeriods * this.#roundMs;
  }

  #quietAt({ steadyMs }: Moment): number {
    return this.#quietMs + (this.#linkedMs === undefined ? 0 : steadyMs - this.#linkedMs);
  }

  /** The same debt in rounds over so long a time, by this host's clock: what the edge's clock did meanwhile does not count. */
  #settle(owedSince: number | undefined, at: Moment): void {
    if (owedSince === undefined || owedSince !== this.#debt?.owedSince) {
      this.#debt = owedSince === undefined ? undefined : { owedSince, seenMs: at.steadyMs };
      this.#back("queue", at);
      return;
    }
    const owedMs = at.steadyMs - this.#debt.seenMs;
    if (owedMs >= this.limits.queueMs)
      this.#fell("queue", owedMs, "the edge's rules and observations do not take in what its log has sent them", at);
  }

  #fell(part: EdgePart, forMs: number, reason: string, at: Moment): void {
    if (this.#silent.has(part)) return;
    const sinceMs = at.wallMs - forMs;
    this.#silent.set(part, { sinceMs, reason });
    this.#changes.push({ part, state: "silent", sinceMs, seconds: Math.round(forMs / 1_000), reason });
  }

  #back(part: EdgePart, at: Moment): void {
    const silence = this.#silent.get(part);
    if (silence === undefined) return;
    this.#silent.delete(part);
    const { sinceMs, reason } = silence;
    const seconds = Math.max(0, Math.round((at.wallMs - sinceMs) / 1_000));
    this.#changes.push({ part, state: "back", sinceMs, seconds, reason });
  }
}
