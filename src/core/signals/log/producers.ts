import type { ProducerRecord } from "../api.ts";
import { formatTimestamp } from "../timestamp.ts";

/** A row of producers. The body is the text to store; `null`: no producer of the page is known any more. */
export interface ProducerPage {
  readonly page: number;
  readonly body: string | null;
}

/** A page as a log stored it. */
export interface StoredProducerPage {
  readonly page: number;
  readonly body: string;
}

interface Entry {
  /** Last number that the log has. */
  last: number;
  /** When the log received it. */
  seenMs: number;
  page: Page;
}

interface Page {
  readonly page: number;
  readonly names: Set<string>;
  chars: number;
  changed: boolean;
}

/** Characters in a page. A row may take 2 MB and a character up to three bytes. */
const PAGE_CHARS = 250_000;
/** Of a producer, beside the characters of its entry. */
const PRODUCER_BYTES = 110;
/** Characters of an entry beside the name: two numbers, quotes and commas. */
const ENTRY_CHARS = 40;
/**
 * Producers that the log remembers, about 30 MB. Beyond it, those that have been silent longest are forgotten: where one
 * of them sends something again, the log takes it for new.
 */
const MAX_PRODUCERS = 100_000;
/** Forgetting sorts all of them, so it is done for some thousands at a time. */
const MAX_OVERDRAWN = 5_000;

/**
 * How far the log has every producer's signals. It is stored in pages, written only when a zone is: the headers of the
 * segments since then tell the rest. A page is filled before the next one is begun, so that producers that come and go
 * share few pages, and no row grows with their number.
 */
export class Producers {
  readonly #entries = new Map<string, Entry>();
  readonly #pages = new Map<number, Page>();
  /** The page that takes new producers. */
  #open: Page | undefined;

  get size(): number {
    return this.#entries.size;
  }

  /** What the producers take in memory, about. */
  get bytes(): number {
    let bytes = PRODUCER_BYTES * this.#entries.size;
    for (const { chars } of this.#pages.values()) bytes += chars;
    return bytes;
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** 0 where the producer is not known. */
  last(name: string): number {
    return this.#entries.get(name)?.last ?? 0;
  }

  /** Producers of a host, or all, in the order of their names, after `after`. */
  list(host: string | undefined, after: string, limit: number): ProducerRecord[] {
    const found: string[] = [];
    for (const name of this.#entries.keys())
      if (name > after && (host === undefined || name.startsWith(`${host}.`))) found.push(name);
    return found
      .sort((a, b) => (a < b ? -1 : 1))
      .slice(0, limit)
      .map((producer) => {
        const { last = 0, seenMs = 0 } = this.#entries.get(producer) ?? {};
        return { producer, last, seen_at: formatTimestamp(seenMs) };
      });
  }

  /** The next number that the producer sends is taken as its first. @returns whether the producer was known */
  forget(name: string): boolean {
    if (!this.#entries.has(name)) return false;
    this.#forget(name);
    return true;
  }

  /** Numbers only grow, unless `last` is of somebody whom the log has forgotten. */
  set(name: string, last: number, seenMs: number): void {
    const known = this.#entries.get(name);
    if (known !== undefined) {
      known.last = last;
      known.seenMs = Math.max(known.seenMs, seenMs);
      known.page.changed = true;
      return;
    }
    const page = this.#openPage();
    this.#insert(name, { last, seenMs, page });
    page.changed = true;
    if (this.#entries.size > MAX_PRODUCERS + MAX_OVERDRAWN) this.#forgetSilent();
  }

  /**
   * Takes in a page as it was stored. Of a damaged one the entries are taken that can be read, and the page is written anew
   * with the next zone.
   *
   * @returns whether the page could be read
   */
  restore({ page: number, body }: StoredProducerPage): boolean {
    const stored = entriesIn(body);
    const entries = stored.filter(isEntry);
    const page = this.#newPage(number);
    for (const [name, last, seenMs] of entries) this.#insert(name, { last, seenMs, page });
    page.changed = entries.length < stored.length;
    return !page.changed;
  }

  /**
   * The pages to be written now.
   *
   * @param silentSinceMs - producers that were silent since before this time are forgotten. Looks at all producers
   */
  takeChanged(silentSinceMs?: number): readonly ProducerPage[] {
    if (silentSinceMs !== undefined) {
      for (const [name, { seenMs }] of this.#entries) if (seenMs < silentSinceMs) this.#forget(name);
    }
    const changed: ProducerPage[] = [];
    for (const page of this.#pages.values()) {
      if (!page.changed) continue;
      page.changed = false;
      changed.push({ page: page.page, body: page.names.size === 0 ? null : this.#bodyOf(page) });
      if (page.names.size === 0) this.#drop(page);
    }
    return changed;
  }

  #bodyOf({ names }: Page): string {
    const entries = [...names].map((name) => {
      const entry = this.#entries.get(name);
      return [name, entry?.last ?? 0, entry?.seenMs ?? 0];
    });
    return JSON.stringify(entries);
  }

  #insert(name: string, entry: Entry): void {
    this.#entries.set(name, entry);
    entry.page.names.add(name);
    entry.page.chars += JSON.stringify(name).length + ENTRY_CHARS;
  }

  #openPage(): Page {
    if (this.#open !== undefined && this.#open.chars < PAGE_CHARS) return this.#open;
    // Pages empty as producers are forgotten: one with room is filled before a new one is begun.
    this.#open = [...this.#pages.values()].find(({ chars }) => chars < PAGE_CHARS / 2);
    this.#open ??= this.#newPage(Math.max(-1, ...this.#pages.keys()) + 1);
    return this.#open;
  }

  #newPage(number: number): Page {
    const page = { page: number, names: new Set<string>(), chars: 0, changed: false };
    this.#pages.set(number, page);
    return page;
  }

  #drop(page: Page): void {
    this.#pages.delete(page.page);
    if (this.#open === page) this.#open = undefined;
  }

  #forget(name: string): void {
    const page = this.#entries.get(name)?.page;
    if (page === undefined) return;
    this.#entries.delete(name);
    page.names.delete(name);
    page.chars -= JSON.stringify(name).length + ENTRY_CHARS;
    page.changed = true;
  }

  #forgetSilent(): void {
    const bySilence = [...this.#entries].sort(([, a], [, b]) => a.seenMs - b.seenMs);
    for (const [name] of bySilence.slice(0, this.#entries.size - MAX_PRODUCERS)) this.#forget(name);
  }
}

/** @returns one entry that is none where the page is no list of them */
function entriesIn(body: string): readonly unknown[] {
  try {
    const stored: unknown = JSON.parse(body);
    return Array.isArray(stored) ? stored : [undefined];
  } catch {
    return [undefined];
  }
}

function isEntry(value: unknown): value is [name: string, last: number, seenMs: number] {
  if (!Array.isArray(value)) return false;
  const [name, last, seenMs] = value as unknown[];
  return typeof name === "string" && typeof last === "number" && typeof seenMs === "number";
}
