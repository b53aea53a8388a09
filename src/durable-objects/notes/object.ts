import { changeSignal } from "../../core/notes/change-signal.ts";
import { isNamed, type NamedVersions } from "../../core/notes/entity-tags.ts";
import { subjectOf, taskPrefix } from "../../core/notes/key.ts";
import { NOTE_LIMITS } from "../../core/notes/limits.ts";
import type { Full, NotePut, NoteRemoval, StoredNote } from "../../core/notes/note.ts";
import { NoteBook } from "../../core/notes/note-book.ts";
import { handedFields, noteJson } from "../../core/notes/view.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import { logLine } from "../shell/log-line.ts";
import { RETRY_MS } from "../shell/outbox-relay.ts";
import { OwnSignals } from "../shell/own-signals.ts";
import type { Schema } from "../shell/schema.ts";
import { notesErasure } from "./erasure.ts";
import { NoteStore } from "./note-store.ts";
import type { NotesBindings } from "./ports.ts";
import { tellQueues } from "./tell-queues.ts";
import { WaitingReaders } from "./waiting-readers.ts";

/** Notes whose time is over and which one transaction deletes. */
const SWEPT = 200;
/** The alarm is at most so far ahead, so that a clock that was set back keeps no note for ever. */
const AHEAD_MS = 86_400_000;
/** Characters of a page. */
const MAX_PAGE_CHARS = 4 * 1024 * 1024;
/** All queues know that tasks have notes. */
const ALL_TOLD = "*";

/** A note as JSON text, with its version. */
export interface NoteText {
  readonly version: number;
  readonly json: string;
}

export type PutAnswer =
  | { readonly note: NoteText; readonly made: boolean }
  | { readonly stale: NoteText | null }
  | { readonly full: Full };

export type RemoveAnswer = { readonly removed: true } | { readonly stale: NoteText } | { readonly none: true };

/**
 * The notes of an ecosystem: one object decides about each change in its turn, so that of two writers who know the same
 * version one is refused. A change and its signal are one transaction.
 */
export class Notes extends EcosystemObject<NotesBindings> {
  static override readonly schema: Schema = {
    of: "Notes",
    steps: [],
    copy: {
      // The directory and the queues of another deployment do not know yet that tasks have notes.
      without: (table, row) => (table === "notes" && row.name === "told" ? { ...row, value: "" } : undefined),
    },
    erasure: notesErasure,
  };
  readonly #store: NoteStore;
  readonly #signals: OwnSignals;
  readonly #readers = new WaitingReaders();
  #book: NoteBook;
  #telling: Promise<void> | undefined;

  constructor(ctx: DurableObjectState, env: NotesBindings) {
    super(ctx, env);
    const { ecosystem, sql, alarms } = this;
    this.#store = new NoteStore(sql);
    const wakeBy = (atMs: number) => alarms.wakeBy(atMs);
    const common = { ctx, env, ecosystem, sql, name: "notes", notes: this.#store.values, wakeBy };
    this.#signals = new OwnSignals(common);
    this.#book = new NoteBook(this.#store, this.#store.totals());
  }

  /**
   * The note; `null`: there is none.
   *
   * @param known - the versions that the caller has: the answer waits for another one, up to `waitMs`
   */
  async get(key: string, known: NamedVersions | null, waitMs: number): Promise<NoteText | null> {
    const note = this.#book.get(key, Date.now());
    const wanted = known === null ? note !== undefined : note === undefined || !isNamed(known, note.version);
    if (wanted || waitMs === 0) return textOf(note);
    await this.#readers.wait(key, waitMs);
    return textOf(this.#book.get(key, Date.now()));
  }

  /** By key. @param after - the last key of the page before; empty: none */
  list(prefix: string, after: string, limit: number): { notes: string[]; next: string | null } {
    const notes: string[] = [];
    let [chars, last] = [0, ""];
    for (const note of this.#store.page(prefix, after, Date.now(), limit + 1)) {
      const text = noteJson(note);
      chars += text.length;
      if (notes.length >= limit || (notes.length > 0 && chars > MAX_PAGE_CHARS)) return { notes, next: last };
      notes.push(text);
      last = note.key;
    }
    return { notes, next: null };
  }

  async put(put: NotePut): Promise<PutAnswer> {
    const outcome = this.#change((book, nowMs) => book.put(put, nowMs));
    if ("stale" in outcome) return { stale: textOf(outcome.stale ?? undefined) };
    if ("full" in outcome) return outcome;
    // The first note of a task: the answer says that whoever takes the task next gets it.
    if (subjectOf(put.key).kind === "task") await this.#tell();
    return { note: text(outcome.note), made: outcome.made };
  }

  remove(removal: NoteRemoval): RemoveAnswer {
    const outcome = this.#change((book, nowMs) => book.remove(removal, nowMs));
    return "stale" in outcome ? { stale: text(outcome.stale) } : outcome;
  }

  /** Fields of tasks that workers get, as JSON texts, by task. A task without notes is missing. */
  ofTasks(taskIds: readonly string[]): Record<string, string> {
    const nowMs = Date.now();
    return Object.fromEntries(
      taskIds.flatMap((id) => {
        const fields = handedFields(this.#store.page(taskPrefix(id), "", nowMs, NOTE_LIMITS.ofTask));
        return fields === undefined ? [] : [[id, fields]];
      }),
    );
  }

  override async alarm(): Promise<void> {
    let more = true;
    while (more) more = this.#change((book, nowMs) => book.sweep(nowMs, SWEPT));
    const told = this.#store.values.read("told");
    if (told !== undefined && told !== ALL_TOLD) await this.#tell();
    this.#follow(Date.now());
    await this.#signals.run();
  }

  #change<Outcome>(work: (book: NoteBook, nowMs: number) => Outcome): Outcome {
    const nowMs = Date.now();
    const { changes, outcome } = this.transaction(
      () => {
        const outcome = work(this.#book, nowMs);
        const changes = this.#book.takeChanges();
        for (const change of changes) this.#signals.emit({ ...changeSignal(change), timestampMs: nowMs });
        if (changes.length > 0) this.#store.writeTotals(this.#book.totals);
        this.#signals.write();
        return { changes, outcome };
      },
      () => {
        this.#book = new NoteBook(this.#store, this.#store.totals());
        this.#signals.reload();
      },
    );
    if (changes.length > 0) this.#follow(nowMs);
    for (const { key } of changes) this.#readers.changed(key);
    return outcome;
  }

  /** In the turn of the change, hence in the same write to the disk: a crash cannot lose the alarm of a change. */
  #follow(nowMs: number): void {
    const next = this.#store.nextExpiryMs;
    if (next !== undefined) this.alarms.wakeBy(Math.min(Math.max(next, nowMs), nowMs + AHEAD_MS));
    this.#signals.handOver();
  }

  /** Lets the queues know that tasks have notes, once in the life of an ecosystem: until then a lease asks for none. */
  #tell(): Promise<void> {
    if (this.#store.values.read("told") === ALL_TOLD) return Promise.resolve();
    this.#telling ??= this.#tellAll().finally(() => {
      this.#telling = undefined;
    });
    return this.#telling;
  }

  async #tellAll(): Promise<void> {
    const { env, ecosystem } = this;
    const { values } = this.#store;
    try {
      for (let told: string | undefined = values.read("told") ?? ""; told !== undefined; ) {
        told = await tellQueues(env, ecosystem, told);
        values.write("told", told ?? ALL_TOLD);
      }
    } catch (error) {
      // The note is kept, and the alarm goes on from the last queue that was told.
      logLine("warn", "queues-not-told", { ecosystem, object: "notes", error });
      if (values.read("told") === undefined) values.write("told", "");
      this.alarms.wakeBy(Date.now() + RETRY_MS);
    }
  }
}

const text = (note: StoredNote): NoteText => ({ version: note.version, json: noteJson(note) });
const textOf = (note: StoredNote | undefined): NoteText | null => (note === undefined ? null : text(note));
