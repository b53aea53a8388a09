import type { OpenLink, PresenceReason } from "./api.ts";

/** The presence of a host, as it is stored. Times are milliseconds since the epoch. */
export interface Presence {
  /** The state that was reported last. */
  state: "up" | "down";
  /** When the state began. For a lost link this is the time of the loss, not the end of the grace period. */
  sinceMs: number;
  /** When the state was reported. */
  toldMs: number;
  reason: PresenceReason;
  /** When the last link was lost; `null` while a link is open. */
  lostMs: number | null;
  /** When the grace period began: at the loss, or later where the edge itself was away and no host could return. */
  graceFromMs: number | null;
  /** Rounds in a row without an answer over an open link. */
  unanswered: number;
}

export interface PresenceLimits {
  /** A host whose link returns within this time, in milliseconds, stays up. */
  readonly graceMs: number;
  /** Number of rounds in a row without an answer after which a linked host is down. */
  readonly silentAfter: number;
}

/** A host became up or down; reported once. */
export interface PresenceChange {
  readonly host: string;
  readonly state: "up" | "down";
  readonly reason: PresenceReason;
  readonly sinceMs: number;
}

/**
 * A grace period that ended longer ago than this, in milliseconds, ended while the edge itself was away, and with it
 * every link. The period then begins again; otherwise a restart would report hosts as down that are about to return.
 */
const LATE_MS = 5_000;

/**
 * Tracks which hosts are up. The tracker compares with the links that are open now, instead of counting opened and closed
 * links, so the next comparison corrects an event that was lost.
 *
 * - up → down: no link for `graceMs` (a link that drops and returns within this time changes nothing), or `silentAfter`
 *   rounds without an answer;
 * - down → up: a link opened since the report, or an answer.
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

  /** When {@link pass} may next report a host as down, in milliseconds since the epoch. */
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
        changes.push(this.#report(host, "up", "linked", nowMs, nowMs));
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

  /** Reports hosts as down whose grace period has ended. */
  pass(nowMs: number, { graceMs }: PresenceLimits): PresenceChange[] {
    const changes: PresenceChange[] = [];
    for (const [host, known] of this.#hosts) {
      if (known.state === "down" || known.lostMs === null || known.graceFromMs === null) continue;
      const overMs = nowMs - known.graceFromMs - graceMs;
      // After the clock was set back, the period begins again instead of lasting until the clock catches up.
      if (overMs > LATE_MS || known.graceFromMs > nowMs) known.graceFromMs = nowMs;
      else if (overMs >= 0) changes.push(this.#report(host, "down", "link_lost", Math.min(known.lostMs, nowMs), nowMs));
    }
    return changes;
  }

  answered(host: string, nowMs: number): PresenceChange[] {
    const known = this.#hosts.get(host);
    if (known === undefined) return [];
    known.unanswered = 0;
    return known.state === "down" && known.lostMs === null ? [this.#report(host, "up", "answered", nowMs, nowMs)] : [];
  }

  /** The host was asked over an open link and did not answer in time. */
  unanswered(host: string, nowMs: number, { silentAfter }: PresenceLimits): PresenceChange[] {
    const known = this.#hosts.get(host);
    if (known === undefined || known.lostMs !== null || known.state === "down") return [];
    known.unanswered++;
    return known.unanswered < silentAfter ? [] : [this.#report(host, "down", "silent", nowMs, nowMs)];
  }

  /** Forgets a host that is down. @returns whether such a host was known */
  forget(host: string): boolean {
    return this.#hosts.get(host)?.state === "down" && this.#hosts.delete(host);
  }

  #report(host: string, state: "up" | "down", reason: PresenceReason, sinceMs: number, nowMs: number): PresenceChange {
    const { lostMs = null, graceFromMs = null } = (state === "down" && this.#hosts.get(host)) || {};
    this.#hosts.set(host, { state, sinceMs, toldMs: nowMs, reason, lostMs, graceFromMs, unanswered: 0 });
    return { host, state, reason, sinceMs };
  }
}
