import { isNamed } from "./entity-tags.ts";
import { subjectOf } from "./key.ts";
import { NOTE_LIMITS } from "./limits.ts";
import type {
  Conditions,
  Full,
  NoteChange,
  NotePut,
  NoteRemoval,
  PutOutcome,
  RemoveOutcome,
  StoredNote,
} from "./note.ts";

/** Where notes are kept. */
export interface NoteRows {
  find(key: string): StoredNote | undefined;
  write(note: StoredNote): void;
  delete(key: string): void;
  /** Those whose time is over, the first to end first. */
  expired(nowMs: number, limit: number): StoredNote[];
  /** Notes about the same task as this key. */
  countBeside(key: string): number;
}

/** What is known of all notes together. */
export interface NoteTotals {
  /** Of the last change. */
  version: number;
  notes: number;
  /** Of all values. */
  bytes: number;
}

const utf8 = new TextEncoder();
const bytesOf = (text: string) => utf8.encode(text).length;

/**
 * Decides about changes of notes, one after the other: that is all that compare-and-set needs. A note whose time is over is
 * gone at once, whenever it is swept.
 */
export class NoteBook {
  readonly totals: NoteTotals;
  readonly #rows: NoteRows;
  #changes: NoteChange[] = [];

  constructor(rows: NoteRows, totals: NoteTotals) {
    this.#rows = rows;
    this.totals = totals;
  }

  /** Changes since this was last called, in their order. */
  takeChanges(): readonly NoteChange[] {
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }

  /** @returns `undefined`: there is none, or its time is over */
  get(key: string, nowMs: number): StoredNote | undefined {
    const note = this.#rows.find(key);
    return note === undefined || isOver(note, nowMs) ? undefined : note;
  }

  put(put: NotePut, nowMs: number): PutOutcome {
    const before = this.#current(put.key, nowMs);
    if (!holds(put, before)) return { stale: before ?? null };
    const grows = put.bytes - (before === undefined ? 0 : bytesOf(before.valueJson));
    const full = this.#full(put, before, grows);
    if (full !== undefined) return { full };
    const { key, valueJson, by, ttlMs, cause } = put;
    const version = ++this.totals.version;
    const expiresMs = ttlMs === null ? null : nowMs + ttlMs;
    const createdMs = before?.createdMs ?? nowMs;
    const note = { key, valueJson, version, createdMs, changedMs: nowMs, expiresMs, by };
    this.#rows.write(note);
    this.totals.bytes += grows;
    if (before === undefined) this.totals.notes += 1;
    this.#changes.push({ change: "set", key, version, before: before?.version ?? null, by, valueJson, cause });
    return { note, made: before === undefined };
  }

  remove({ key, by, cause, ...conditions }: NoteRemoval, nowMs: number): RemoveOutcome {
    const before = this.#current(key, nowMs);
    if (before === undefined) return { none: true };
    if (!holds(conditions, before)) return { stale: before };
    this.#drop(before, "deleted", by, cause);
    return { removed: true };
  }

  /** Deletes notes whose time is over. @returns whether there may be more */
  sweep(nowMs: number, limit: number): boolean {
    const over = this.#rows.expired(nowMs, limit);
    for (const note of over) this.#drop(note, "expired", null);
    return over.length === limit;
  }

  #current(key: string, nowMs: number): StoredNote | undefined {
    const note = this.#rows.find(key);
    if (note === undefined || !isOver(note, nowMs)) return note;
    this.#drop(note, "expired", null);
    return undefined;
  }

  #full({ key }: NotePut, before: StoredNote | undefined, grows: number): Full | undefined {
    const { totals } = this;
    if (grows > 0 && totals.bytes + grows > NOTE_LIMITS.bytes) return "bytes";
    if (before !== undefined) return undefined;
    if (totals.notes >= NOTE_LIMITS.notes) return "notes";
    const ofTask = subjectOf(key).kind === "task" && this.#rows.countBeside(key) >= NOTE_LIMITS.ofTask;
    return ofTask ? "ofTask" : undefined;
  }

  #drop(note: StoredNote, change: "deleted" | "expired", by: string | null, cause?: string): void {
    const { key, version: before, valueJson } = note;
    this.#rows.delete(key);
    this.totals.notes -= 1;
    this.totals.bytes -= bytesOf(valueJson);
    this.#changes.push({ change, key, version: ++this.totals.version, before, by, cause });
  }
}

const isOver = ({ expiresMs }: StoredNote, nowMs: number) => expiresMs !== null && expiresMs <= nowMs;

const holds = ({ ifMatch, ifNoneMatch }: Conditions, before: StoredNote | undefined): boolean =>
  (ifMatch === undefined || isNamed(ifMatch, before?.version)) &&
  (ifNoneMatch === undefined || !isNamed(ifNoneMatch, before?.version));
