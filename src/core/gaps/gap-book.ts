import type { FindingWithCause } from "../scanners/scanner.ts";
import { formatTimestamp } from "../signals/timestamp.ts";
import type { Gap } from "./gap.ts";
import { alignmentScore } from "./score.ts";

export interface GapChange {
  readonly gap: Gap;
  /** The finding behind a raised gap; a resolved one has none. */
  readonly finding: FindingWithCause | undefined;
}

export interface GapChanges {
  readonly raised: readonly GapChange[];
  readonly refreshed: readonly Gap[];
  readonly resolved: readonly Gap[];
}

/** Resolved gaps remembered, newest first. */
const REMEMBERED = 500;

/**
 * What is wrong and what was: turns findings into gaps that are raised once, refreshed while their evidence lasts
 * and resolved when it has passed (R16). The book changes only through {@link apply}, with what {@link plan} said, so that
 * it never gets ahead of what was stored.
 */
export class GapBook {
  readonly #open = new Map<string, Gap>();
  #resolved: Gap[] = [];

  restore(gaps: Iterable<Gap>): void {
    for (const gap of gaps) this.#put(gap);
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

  plan(findings: readonly FindingWithCause[], nowMs: number): GapChanges {
    const now = formatTimestamp(nowMs);
    const raised: GapChange[] = [];
    const refreshed: Gap[] = [];
    const found = new Set<string>();
    for (const finding of findings) {
      const open = this.#open.get(finding.name);
      if (open !== undefined) {
        found.add(finding.name);
        refreshed.push({ ...open, ...described(finding), last_seen_at: now });
      } else if (finding.verdict === "breach" && !found.has(finding.name)) {
        found.add(finding.name);
        raised.push({
          gap: { name: finding.name, ...described(finding), status: "open", raised_at: now, last_seen_at: now },
          finding,
        });
      }
    }
    const resolved = this.open
      .filter((gap) => !found.has(gap.name))
      .map((gap): Gap => ({ ...gap, status: "resolved", resolved_at: now }));
    return { raised, refreshed, resolved };
  }

  apply(changes: GapChanges): void {
    for (const { gap } of changes.raised) this.#put(gap);
    for (const gap of changes.refreshed) this.#put(gap);
    for (const gap of changes.resolved) this.#put(gap);
  }

  /** Takes in a gap as its own signals tell of it: how the book is rebuilt from the log. */
  learn(gap: Gap): void {
    this.#put(gap);
  }

  clear(): void {
    this.#open.clear();
    this.#resolved = [];
  }

  #put(gap: Gap): void {
    if (gap.status === "open") {
      this.#open.set(gap.name, gap);
      return;
    }
    this.#open.delete(gap.name);
    this.#resolved.unshift(gap);
    if (this.#resolved.length > REMEMBERED) this.#resolved.pop();
  }
}

function described(
  finding: FindingWithCause,
): Omit<Gap, "name" | "status" | "raised_at" | "last_seen_at" | "resolved_at" | "signal_id"> {
  return {
    type: finding.type,
    category: finding.category,
    reason: finding.reason,
    alignment_score: alignmentScore(finding.severity, finding.evidence.sample_count),
    install_cost: finding.installCost,
    metadata: { ...finding.evidence },
  };
}
