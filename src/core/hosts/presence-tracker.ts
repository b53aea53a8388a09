/** `linked`: a link was opened; `answered`: it answers again; `link_lost`: no link for longer than the grace; `silent`: linked, but no answer. */
export type PresenceReason = "linked" | "answered" | "link_lost" | "silent";

/** What is remembered of a host between two events. Times are milliseconds since the epoch. */
export interface Presence {
  /** What was told last. */
  state: "up" | "down";
  /** Since when it is so: for one whose link was lost, that moment and not the one at which we gave it up. */
  sinceMs: number;
  /** When we said so. */
  toldMs: number;
  reason: PresenceReason;
  /** Since when no link is open; `null` while one is. */
  lostMs: number | null;
  /** When its grace began: then, or later where nobody could have come back meanwhile. */
  graceFromMs: number | null;
  /** Questions in a row that it left unanswered, link open. */
  unanswered: number;
}

export interface PresenceLimits {
  /** A link that comes back within this time was never away. */
  readonly graceMs: number;
  /** Unanswered questions in a row after which a linked host counts as down. */
  readonly silentAfter: number;
}

/** A link that the log holds open. */
export interface OpenLink {
  readonly host: string;
  readonly openedMs: number;
}

/** A host came or went; told once. */
export interface PresenceChange {
  readonly host: string;
  readonly state: "up" | "down";
  readonly reason: PresenceReason;
  readonly sinceMs: number;
}

/**
 * A grace that is found to have ended longer ago than this ended while nobody looked: the edge itself was away, and
 * with it every link. It begins anew then, or a restart would give up hosts that are about to come back.
 */
const LATE_MS = 5_000;

/**
 * Who is there. What counts is which links are open now, not which were said to open and close: an event that was lost
 * on its way is made good by the next look, whatever led to it.
 *
 * - up → down: no link for `graceMs` (so a link that drops and comes back changes nothing), or `silentAfter` questions
 *   without an answer;
 * - down → up: a link opened since, or an answer.
 */
export class PresenceTracker {
  readonly #hosts: Map<string, Presence>;

  constructor(hosts: Iterable<readonly [string, Presence]> = []) {
    this.#hosts = new Map(hosts);
  }

  get(host: string): Presence | undefined {
    return this.#hosts.get(host);
  }

  get hosts(): readonly string[] {
    return [...this.#hosts.keys()];
  }

  /** When {@link pass} may find somebody gone. */
  nextDueMs({ graceMs }: PresenceLimits): number | undefined {
    let due: number | undefined;
    for (const { state, graceFromMs } of this.#hosts.values()) {
      if (state === "up" && graceFromMs !== null)
        due = Math.min(due ?? Number.POSITIVE_INFINITY, graceFromMs + graceMs);
    }
    return due;
  }

  /** @param links - every link that is open now */
  linked(links: readonly OpenLink[], nowMs: number): PresenceChange[] {
    const newest = new Map<string, number>();
    for (const { host, openedMs } of links) newest.set(host, Math.max(newest.get(host) ?? 0, openedMs));
    const changes: PresenceChange[] = [];
    for (const [host, openedMs] of newest) {
      const known = this.#hosts.get(host);
      if (known === undefined || (known.state === "down" && (known.lostMs !== null || openedMs > known.toldMs))) {
        changes.push(this.#tell(host, "up", "linked", nowMs, nowMs));
      } else {
        if (known.lostMs !== null) known.unanswered = 0;
        known.lostMs = null;
        known.graceFromMs = null;
      }
    }
    for (const [host, known] of this.#hosts) {
      if (newest.has(host)) continue;
      known.lostMs ??= nowMs;
      known.graceFromMs ??= nowMs;
    }
    return changes;
  }

  /** Gives up those who have been away for longer than the grace. */
  pass(nowMs: number, { graceMs }: PresenceLimits): PresenceChange[] {
    const changes: PresenceChange[] = [];
    for (const [host, known] of this.#hosts) {
      if (known.state === "down" || known.lostMs === null || known.graceFromMs === null) continue;
      const overMs = nowMs - known.graceFromMs - graceMs;
      // A clock that was set back is not waited for.
      if (overMs > LATE_MS || known.graceFromMs > nowMs) known.graceFromMs = nowMs;
      else if (overMs >= 0) changes.push(this.#tell(host, "down", "link_lost", Math.min(known.lostMs, nowMs), nowMs));
    }
    return changes;
  }

  answered(host: string, nowMs: number): PresenceChange[] {
    const known = this.#hosts.get(host);
    if (known === undefined) return [];
    known.unanswered = 0;
    return known.state === "down" && known.lostMs === null ? [this.#tell(host, "up", "answered", nowMs, nowMs)] : [];
  }

  /** The host was asked over an open link, and said nothing in time. */
  unanswered(host: string, nowMs: number, { silentAfter }: PresenceLimits): PresenceChange[] {
    const known = this.#hosts.get(host);
    if (known === undefined || known.lostMs !== null || known.state === "down") return [];
    known.unanswered++;
    return known.unanswered < silentAfter ? [] : [this.#tell(host, "down", "silent", nowMs, nowMs)];
  }

  /** Forgets one who is down. @returns whether there was such a one */
  forget(host: string): boolean {
    return this.#hosts.get(host)?.state === "down" && this.#hosts.delete(host);
  }

  #tell(host: string, state: "up" | "down", reason: PresenceReason, sinceMs: number, nowMs: number): PresenceChange {
    const { lostMs = null, graceFromMs = null } = (state === "down" && this.#hosts.get(host)) || {};
    this.#hosts.set(host, { state, sinceMs, toldMs: nowMs, reason, lostMs, graceFromMs, unanswered: 0 });
    return { host, state, reason, sinceMs };
  }
}
