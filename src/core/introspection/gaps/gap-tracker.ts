import { formatTimestamp } from "../../signals/timestamp.ts";
import type { FindingWithCause } from "../scanners/scanner.ts";
import { fingerprintOf, type Gap } from "./gap.ts";
import { calmMs, DEFAULT_GAP_SETTINGS, type GapSettings } from "./gap-settings.ts";
import { alignmentScore } from "./score.ts";

export interface GapChange {
  readonly gap: Gap;
  readonly finding: FindingWithCause;
}

export interface GapChanges {
  /** New ones, and those that came back (`gap.reopened`). */
  readonly raised: readonly GapChange[];
  readonly reminded: readonly GapChange[];
  readonly refreshed: readonly Gap[];
  /** Those of `refreshed` that are worth a write: their calm began or ended, or their row is a minute old. */
  readonly worthKeeping: readonly Gap[];
  readonly resolved: readonly Gap[];
}

/** Resolved gaps remembered, newest first. */
const REMEMBERED = 500;
const KEEP_EVERY_MS = 60_000;

/**
 * What is wrong and what was: turns findings into gaps that are raised once, refreshed while their evidence lasts
 * and resolved when it has passed (R16).
 *
 * Hysteresis is the scanners' own: between its two limits a finding holds a gap open and opens none. What still
 * flaps is damped here. A gap that comes back soon after it was resolved is reopened, and must then be quiet for a
 * while before it is resolved again, twice as long each time: whoever listens hears of a flapping gap at growing
 * distances, and always the truth.
 *
 * The book changes only through {@link apply}, with what {@link plan} said, so that it never gets ahead of what was
 * stored.
 */
export class GapTracker {
  settings: GapSettings = DEFAULT_GAP_SETTINGS;
  readonly #open = new Map<string, Gap>();
  #resolved: Gap[] = [];

  restore(gaps: Iterable<Gap>): void {
    // In the order of their ends, those that are open last: of the lives of one name, the last word is the newest's.
    const end = (gap: Gap) => (gap.resolved_at === undefined ? Number.POSITIVE_INFINITY : Date.parse(gap.resolved_at));
    for (const gap of [...gaps].sort((a, b) => (end(a) === end(b) ? 0 : end(a) - end(b)))) this.#put(gap);
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

  /** @param resolving - `false`: what is not found may only not have been seen again yet, and stays open */
  plan(findings: readonly FindingWithCause[], nowMs: number, resolving = true): GapChanges {
    const now = formatTimestamp(nowMs);
    const raised: GapChange[] = [];
    const reminded: GapChange[] = [];
    const refreshed: Gap[] = [];
    const worthKeeping: Gap[] = [];
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
      if (calm_since !== undefined || isMinuteOld(open, nowMs)) worthKeeping.push(gap);
    }
    for (const gap of resolving ? this.#open.values() : []) {
      if (found.has(gap.name)) continue;
      const calm = calmMs(gap.reopened ?? 0, this.settings);
      const { calm_since = now, ...rest } = gap;
      if (nowMs - Date.parse(calm_since) >= calm) resolved.push({ ...rest, status: "resolved", resolved_at: now });
      else if (gap.calm_since === undefined) {
        refreshed.push({ ...gap, calm_since });
        worthKeeping.push({ ...gap, calm_since });
      }
    }
    return { raised, reminded, refreshed, worthKeeping, resolved };
  }

  apply(changes: Pick<GapChanges, "raised" | "reminded" | "refreshed" | "resolved">): void {
    for (const { gap } of changes.raised) this.#put(gap);
    for (const { gap } of changes.reminded) this.#put(gap);
    for (const gap of changes.refreshed) this.#put(gap);
    for (const gap of changes.resolved) this.#put(gap);
  }

  /** When something happens though nothing comes: the next calm that is over, the next reminder. */
  nextAtMs(): number | undefined {
    let next = Number.POSITIVE_INFINITY;
    for (const gap of this.#open.values()) {
      if (gap.calm_since !== undefined)
        next = Math.min(next, Date.parse(gap.calm_since) + calmMs(gap.reopened ?? 0, this.settings));
      else if (this.settings.reminder_seconds > 0) next = Math.min(next, this.#remindAtMs(gap));
    }
    return Number.isFinite(next) ? next : undefined;
  }

  /** Takes in a gap as its own signals tell of it: how the book is rebuilt from the log. */
  learn(gap: Gap): void {
    this.#put(gap);
  }

  clear(): void {
    this.#open.clear();
    this.#resolved = [];
  }

  #raise(finding: FindingWithCause, now: string, nowMs: number): Gap {
    const before = this.#resolved.find(({ name }) => name === finding.name);
    const again =
      before?.resolved_at !== undefined && nowMs - Date.parse(before.resolved_at) <= this.settings.flap_seconds * 1_000;
    return {
      name: finding.name,
      fingerprint: fingerprintOf(finding.category, finding.name),
      ...described(finding),
      status: "open",
      raised_at: again ? before.raised_at : now,
      last_seen_at: now,
      ...(again ? { reopened: (before.reopened ?? 0) + 1 } : {}),
    };
  }

  #mustRemind(gap: Gap, nowMs: number): boolean {
    return this.settings.reminder_seconds > 0 && nowMs >= this.#remindAtMs(gap);
  }

  #remindAtMs(gap: Gap): number {
    return Date.parse(gap.reminded_at ?? gap.raised_at) + this.settings.reminder_seconds * 1_000;
  }

  #put(gap: Gap): void {
    // A gap that was reopened is the resolved one: there are not two of it.
    const lifeOf = ({ name, raised_at }: Gap) => name === gap.name && raised_at === gap.raised_at;
    if (gap.status === "resolved" || gap.reopened !== undefined)
      this.#resolved = this.#resolved.filter((other) => !lifeOf(other));
    if (gap.status === "open") {
      this.#open.set(gap.name, gap);
      return;
    }
    this.#open.delete(gap.name);
    this.#resolved.unshift(gap);
    if (this.#resolved.length > REMEMBERED) this.#resolved.pop();
  }
}

function isMinuteOld(gap: Gap, nowMs: number): boolean {
  return Math.floor(Date.parse(gap.last_seen_at) / KEEP_EVERY_MS) !== Math.floor(nowMs / KEEP_EVERY_MS);
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
    metadata: { ...finding.evidence },
  };
}
