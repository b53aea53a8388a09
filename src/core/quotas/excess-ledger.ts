import * as z from "zod";
import type { Party } from "../collections/fair-queue.ts";
import { formatTimestamp } from "../signals/timestamp.ts";
import { Excess } from "./excess.ts";

/** Entries at most: beyond that the one that is quiet for longest goes. */
const MAX_ENTRIES = 64;
/** Entries are forgotten after so long without a further excess. */
const FORGET_MS = 3_600_000;
/** Between two writes. */
const STORE_EVERY_MS = 60_000;

export type Limit = Pick<Excess, "quota" | "limit" | "setting">;

/** Who took more than a fair share of what, lately: bounded, and written rarely, however many items are refused. */
export class ExcessLedger {
  /** The one that is quiet for longest first. */
  #entries = new Map<string, Excess>();
  #storedMs = Number.NEGATIVE_INFINITY;
  #changed = false;

  note({ quota, limit, setting }: Limit, { sender, source }: Party, nowMs: number, refused = 1): void {
    const key = `${quota} ${sender} ${source}`;
    const known = this.#fresh(key, nowMs);
    this.#entries.delete(key);
    const now = formatTimestamp(nowMs);
    this.#entries.set(key, {
      quota,
      sender,
      source,
      refused: (known?.refused ?? 0) + refused,
      limit,
      setting,
      since: known?.since ?? now,
      last_at: now,
    });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= MAX_ENTRIES) break;
      this.#entries.delete(oldest);
    }
    this.#changed = true;
  }

  /** Who refused most first. */
  list(nowMs: number): Excess[] {
    return [...this.#entries.keys()]
      .flatMap((key) => this.#fresh(key, nowMs) ?? [])
      .sort((a, b) => b.refused - a.refused);
  }

  /** The entries to write; `undefined`: nothing changed, or they were written a moment ago. */
  toStore(nowMs: number): readonly Excess[] | undefined {
    if (!this.#changed || nowMs - this.#storedMs < STORE_EVERY_MS) return undefined;
    this.#changed = false;
    this.#storedMs = nowMs;
    return [...this.#entries.values()];
  }

  /** @param stored - as {@link toStore} gave it; anything else is no entry */
  restore(stored: unknown): void {
    const entries = z.array(Excess).safeParse(stored);
    this.#entries = new Map((entries.data ?? []).map((one) => [`${one.quota} ${one.sender} ${one.source}`, one]));
    this.#changed = false;
  }

  #fresh(key: string, nowMs: number): Excess | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && nowMs - Date.parse(entry.last_at) < FORGET_MS ? entry : undefined;
  }
}
