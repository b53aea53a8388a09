import type { Party } from "../../collections/fair-queue.ts";
import { EDGE } from "../../signals/log/senders.ts";
import { formatTimestamp } from "../../signals/timestamp.ts";
import type { Gap } from "../api.ts";
import type { FindingWithCause } from "../scanners/scanner.ts";
import { fingerprintOf } from "./gap.ts";
import { calmMs, DEFAULT_GAP_SETTINGS, type GapSettings } from "./gap-settings.ts";
import { alignmentScore } from "./score.ts";

export interface GapChange {
  readonly gap: Gap;
  readonly finding: FindingWithCause;
}

export interface GapChanges {
  /** New gaps, and reopened ones (`gap.reopened`). */
  readonly raised: readonly GapChange[];
  readonly reminded: readonly GapChange[];
  readonly refreshed: readonly Gap[];
  /** Gaps of `refreshed` whose row must be written: their calm time began or ended, or the row is a minute old. */
  readonly toStore: readonly Gap[];
  readonly resolved: readonly Gap[];
}

/** Resolved gaps in memory; beyond that the oldest are forgotten. */
const MAX_RESOLVED = 500;
const STORE_EVERY_MS = 60_000;

/**
 * Open and resolved gaps. Turns findings into gaps that are raised once, refreshed while scanners find them, and
 * resolved once when scanners find them no more.
 *
 * Scanners apply hysteresis themselves: a finding between their two limits keeps an open gap open and opens none. The
 * tracker damps gaps that flap all the same. A gap found again soon after its end is reopened, and is resolved only
 * after a calm time that doubles with each reopening. Subscribers thus get fewer and fewer signals of a flapping gap,
 * and the last signal is always true.
 *
 * Only {@link apply} changes the tracker, with the changes that {@link plan} returned: the caller stores these in
 * between, so that memory never gets ahead of storage.
 */
export class GapTracker {
  settings: GapSettings = DEFAULT_GAP_SETTINGS;
  readonly #open = new Map<string, Gap>();
  #resolved: Gap[] = [];

  restore(gaps: Iterable<Gap>): void {
    // By end time, open gaps last: where one name has several gaps, the newest replaces the others.
    const end = (gap: Gap) => (gap.resolved_at === undefined ? Number.POSITIVE_INFINITY : Date.parse(gap.resolved_at));
    for (const gap of [...gaps].sort((a, b) => (end(a) === end(b) ? 0 : end(a) - end(b)))) this.#put(gap);
  }

  get openCount(): number {
    return this.#open.size;
  }

  get open(): Gap[] {
    return [...this.#open.values()];
  }

  /** Newest first. */
  get resolved(): readonly Gap[] {
    return this.#resolved;
  }

  find(name: string): Gap | undefined {
    return this.#open.get(name);
  }

  /** @param resolving - `false`: gaps without a finding stay open, because their evidence may not have come again yet */
  plan(findings: readonly FindingWithCause[], nowMs: number, resolving = true): GapChanges {
    const now = formatTimestamp(nowMs);
    const raised: GapChange[] = [];
    const reminded: GapChange[] = [];
    const refreshed: Gap[] = [];
    const toStore: Gap[] = [];
    const resolved: Gap[] = [];
    const found = new Set<string>();
    for (const finding of findings) {
      if (found.has(finding.name)) continue;
      const open = this.#open.get(finding.name);
      if (open === undefined && finding.verdict !== "breach") continue;
      found.add(finding.name);
      if (open === undefined) {
        raised.push({ gap: this.#raise(finding, now, nowMs), finding });
        continue;
      }
      const { calm_since, ...rest } = open;
      const gap: Gap = { ...rest, ...described(finding), last_seen_at: now };
      if (this.#mustRemind(open, nowMs)) {
        reminded.push({ gap: { ...gap, reminders: (open.reminders ?? 0) + 1, reminded_at: now }, finding });
        continue;
      }
      refreshed.push(gap);
      if (calm_since !== undefined || isMinuteOld(open, nowMs)) toStore.push(gap);
    }
    for (const gap of resolving ? this.#open.values() : []) {
      if (found.has(gap.name)) continue;
      const calm = calmMs(gap.reopened ?? 0, this.settings);
      const { calm_since = now, ...rest } = gap;
      if (nowMs - Date.parse(calm_since) >= calm) resolved.push({ ...rest, status: "resolved", resolved_at: now });
      else if (gap.calm_since === undefined) {
        refreshed.push({ ...gap, calm_since });
        toStore.push({ ...gap, calm_since });
      }
    }
    return { raised, reminded, refreshed, toStore, resolved };
  }

  apply(changes: Pick<GapChanges, "raised" | "reminded" | "refreshed" | "resolved">): void {
    for (const { gap } of changes.raised) this.#put(gap);
    for (const { gap } of changes.reminded) this.#put(gap);
    for (const gap of changes.refreshed) this.#put(gap);
    for (const gap of changes.resolved) this.#put(gap);
  }

  /** When a gap changes without a new sample: the next end of a calm time, or the next reminder. `undefined`: never. */
  nextAtMs(): number | undefined {
    let next = Number.POSITIVE_INFINITY;
    for (const gap of this.#open.values()) {
      if (gap.calm_since !== undefined)
        next = Math.min(next, Date.parse(gap.calm_since) + calmMs(gap.reopened ?? 0, this.settings));
      else if (this.settings.reminder_seconds > 0) next = Math.min(next, this.#remindAtMs(gap));
    }
    return Number.isFinite(next) ? next : undefined;
  }

  /** Takes in a gap that was read from its own signal: a rebuild from the log restores the tracker this way. */
  learn(gap: Gap): void {
    this.#put(gap);
  }

  clear(): void {
    this.#open.clear();
    this.#resolved = [];
  }

  #raise(finding: FindingWithCause, now: string, nowMs: number): Gap {
    const before = this.#resolved.find(({ name }) => name === finding.name);
    const reopens =
      before?.resolved_at !== undefined && nowMs - Date.parse(before.resolved_at) <= this.settings.flap_seconds * 1_000;
    return {
      name: finding.name,
      fingerprint: fingerprintOf(finding.category, finding.name),
      ...described(finding),
      status: "open",
      raised_at: reopens ? before.raised_at : now,
      last_seen_at: now,
      ...(reopens ? { reopened: (before.reopened ?? 0) + 1 } : {}),
    };
  }

  #mustRemind(gap: Gap, nowMs: number): boolean {
    return this.settings.reminder_seconds > 0 && nowMs >= this.#remindAtMs(gap);
  }

  #remindAtMs(gap: Gap): number {
    return Date.parse(gap.reminded_at ?? gap.raised_at) + this.settings.reminder_seconds * 1_000;
  }

  #put(gap: Gap): void {
    // A reopened gap replaces its resolved entry: both are the same gap.
    const isSameGap = ({ name, raised_at }: Gap) => name === gap.name && raised_at === gap.raised_at;
    if (gap.status === "resolved" || gap.reopened !== undefined)
      this.#resolved = this.#resolved.filter((other) => !isSameGap(other));
    if (gap.status === "open") {
      this.#open.set(gap.name, gap);
      return;
    }
    this.#open.delete(gap.name);
    this.#resolved.unshift(gap);
    if (this.#resolved.length > MAX_RESOLVED) this.#resolved.pop();
  }
}

function isMinuteOld(gap: Gap, nowMs: number): boolean {
  return Math.floor(Date.parse(gap.last_seen_at) / STORE_EVERY_MS) !== Math.floor(nowMs / STORE_EVERY_MS);
}

function described(
  finding: FindingWithCause,
): Pick<Gap, "type" | "category" | "reason" | "alignment_score" | "install_cost" | "metadata"> {
  return {
    type: finding.type,
    category: finding.category,
    reason: finding.reason,
    alignment_score: alignmentScore(finding.severity, finding.evidence.sample_count),
    install_cost: finding.installCost,
    metadata: { ...finding.evidence, ...senderOf(finding) },
  };
}

/** Who sent the samples, so that investigations of the gap are charged to him. */
function senderOf({ parties, cause }: FindingWithCause): Partial<Party> {
  const { sender, source } = parties?.[0] ?? cause.party;
  return sender === EDGE ? {} : { sender, source };
}
