import type { Erasure, ErasurePreview } from "../../core/erasure/api.ts";
import { Mentions } from "../../core/erasure/mentions.ts";
import type { References } from "../../core/erasure/references.ts";
import {
  afterEffects,
  erasureView,
  isSearchedAgain,
  type StoredErasure,
  withReporters,
} from "../../core/erasure/stored-erasure.ts";
import { isErasedLine } from "../../core/signals/log/erased.ts";
import { readAssignedId } from "../../core/signals/log/id-owner.ts";
import type { AlarmClock } from "../shell/alarm-clock.ts";
import { hex, sha256 } from "../shell/digest.ts";
import { logLine } from "../shell/log-line.ts";
import { type ErasableObject, RESTARTED_ERASED } from "../shell/object-erasure.ts";
import { RETRY_MS } from "../shell/outbox-relay.ts";
import { ErasureObjects, FIRST_OBJECT } from "./erasure-objects.ts";
import { ErasureStore } from "./erasure-store.ts";
import type { IdLookup } from "./id-lookup.ts";
import { LogEraser } from "./log-eraser.ts";
import type { LogReader } from "./log-reader.ts";
import type { LogWriter } from "./log-writer.ts";
import { LookupBudget } from "./lookup-budget.ts";
import type { SignalLogBindings } from "./ports.ts";
import type { ProjectionNudge } from "./projection-nudge.ts";
import type { SegmentStore } from "./segment-store.ts";

/** The log is erased for so long at a time; then the alarm, which fires at once, goes on. */
const BURST_MS = 200;

interface ErasuresOptions {
  readonly env: SignalLogBindings;
  readonly ecosystem: string;
  readonly sql: SqlStorage;
  readonly store: SegmentStore;
  readonly reader: LogReader;
  readonly lookup: IdLookup;
  readonly writer: LogWriter;
  readonly nudge: ProjectionNudge;
  readonly alarms: AlarmClock;
  readonly transaction: <Result>(change: () => Result, reload: () => void) => Result;
}

type Open = StoredErasure & { readonly source: string };
type At<Part> = Extract<StoredErasure["at"], { readonly part: Part }>;

/**
 * The erasures of an ecosystem, one after the other. The log runs them, because everything else follows from it: each step is
 * bounded, and written in one transaction with how far the erasure has come, so that one which a crash ends goes on.
 */
export class Erasures {
  readonly #options: ErasuresOptions;
  readonly #store: ErasureStore;
  readonly #eraser: LogEraser;
  readonly #objects: ErasureObjects;
  #running: Promise<void> | undefined;
  /** Of what a crash has ended, or whose answer was lost, it is not known whether the object was changed. */
  #uncertain: boolean;

  constructor(options: ErasuresOptions) {
    const { env, ecosystem, sql, store, lookup } = options;
    this.#options = options;
    this.#store = new ErasureStore(sql);
    this.#eraser = new LogEraser(sql, store, lookup);
    this.#objects = new ErasureObjects(env, ecosystem);
    this.#uncertain = this.#store.open.length > 0;
    store.holdsErased = this.#store.any;
  }

  /** The newest first. */
  get list(): Erasure[] {
    return this.#store.list().map(erasureView);
  }

  /** Counts the source's signals in a part of the log. */
  count(source: string, after: number): ErasurePreview {
    return this.#eraser.count(new Mentions(source), after, this.#options.writer.headSeq);
  }

  /** Goes on with what a crash has ended, or what could not be reached. */
  alarm(): void {
    if (this.#store.open.length === 0) return;
    this.#wake(RETRY_MS);
    void this.#run();
  }

  /** One that runs already for this source is not begun again. */
  async begin(source: string): Promise<Erasure> {
    const digest = hex(await sha256(source));
    const known = this.#store.open.find((erasure) => erasure.source === source);
    if (known !== undefined) return erasureView(known);
    const throughSeq = this.#options.writer.headSeq;
    const erasure: StoredErasure = {
      id: crypto.randomUUID(),
      digest,
      source,
      reporters: [],
      beganMs: Date.now(),
      doneMs: null,
      throughSeq,
      signals: 0,
      rows: 0,
      at: { part: "log", after: 0, toSeq: throughSeq },
    };
    this.#options.transaction(
      () => this.#store.add(erasure),
      () => undefined,
    );
    this.#options.store.holdsErased = true;
    this.#wake(RETRY_MS);
    void this.#run();
    return erasureView(erasure);
  }

  /** After a crash the alarm goes on. */
  #wake(delayMs: number): void {
    this.#options.alarms.wakeBy(Date.now() + delayMs);
  }

  #run(): Promise<void> {
    this.#running ??= this.#steps().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #steps(): Promise<void> {
    const untilMs = Date.now() + BURST_MS;
    try {
      for (let [open] = this.#store.open; open !== undefined; [open] = this.#store.open) {
        await pause();
        const { source } = open;
        if (source === null) throw new Error(`the erasure ${open.id} is not complete, and its source is not known`);
        // The alarm goes on. It waits while the log stands still for a copy, which this does not.
        if (Date.now() >= untilMs) return this.#wake(0);
        this.#wake(RETRY_MS);
        await this.#step({ ...open, source });
      }
    } catch (error) {
      this.#uncertain = true;
      logLine("warn", "erasure-interrupted", { ecosystem: this.#options.ecosystem, object: "signals", error });
      this.#wake(RETRY_MS);
    }
  }

  async #step(erasure: Open): Promise<void> {
    const { at } = erasure;
    switch (at.part) {
      case "log":
        return this.#searchLog(erasure, at);
      case "projections": {
        // What they have not taken in they would take in from messages that were sent before, and say it again.
        await this.#options.nudge.run();
        const toSeq = this.#options.writer.headSeq;
        const after = this.#eraser.before(erasure.throughSeq + 1);
        return this.#write({ ...erasure, at: { part: "effects", cycle: at.cycle, after, toSeq, found: 0 } });
      }
      case "effects":
        return this.#searchEffects(erasure, at);
      case "object":
        return this.#searchObject(erasure, at, this.#objects.named(at.object));
      case "done":
        return undefined;
    }
  }

  #searchLog(erasure: Open, { after, toSeq }: At<"log">): void {
    const { throughSeq, source } = erasure;
    const mentions = new Mentions(source);
    this.#change(() => {
      const left = this.#eraser.step({ mentions, throughSeq, after, toSeq, first: after === 0 });
      const next: StoredErasure["at"] =
        left.after === null ? { part: "projections", cycle: 0 } : { part: "log", after: left.after, toSeq };
      const reporters = withReporters(erasure.reporters, left.reporters);
      this.#store.write({ ...erasure, reporters, signals: erasure.signals + left.signals, at: next });
      if (left.after === null) this.#options.store.damaged.forgetReasons(mentions);
    });
    // The zone that grows sums up what was there before.
    if (this.#store.find(erasure.id)?.at.part !== "log") this.#options.writer.reread();
  }

  #searchEffects(erasure: Open, at: At<"effects">): void {
    const { throughSeq, source } = erasure;
    const { after, toSeq } = at;
    this.#change(() => {
      const left = this.#eraser.step({ mentions: new Mentions(source), throughSeq, after, toSeq, first: false });
      const found = at.found + left.signals;
      const next =
        left.after === null ? afterEffects({ ...at, found }, FIRST_OBJECT) : { ...at, found, after: left.after };
      this.#store.write(ended({ ...erasure, signals: erasure.signals + left.signals, at: next }));
    });
    const { part } = this.#store.find(erasure.id)?.at ?? at;
    if (part !== "effects") this.#options.writer.reread();
    if (part === "done") this.#eraser.end();
  }

  async #searchObject(erasure: Open, at: At<"object">, object: ErasableObject): Promise<void> {
    const { source, throughSeq, reporters } = erasure;
    const page = { source, throughSeq, reporters, place: at.place };
    const { about } = await object.eraseSource({ do: "look", ...page });
    const { rows, next } = await object.eraseSource({ do: "erase", ...page, erased: await this.#erasedOf(about) });
    const found = at.found + rows + (this.#uncertain ? 1 : 0);
    this.#uncertain = false;
    const total = { ...erasure, rows: erasure.rows + rows };
    if (next !== null) return this.#write({ ...total, at: { ...at, found, place: next } });
    if (found > 0) await restart(object);
    if (isSearchedAgain({ ...at, found }))
      return this.#write({ ...total, at: { ...at, place: null, found: 0, round: at.round + 1 } });
    const following = await this.#objects.after(at.object);
    if (following === undefined) return this.#write({ ...total, at: { part: "projections", cycle: at.cycle + 1 } });
    this.#write({ ...total, at: { ...at, object: following, place: null, found: 0, round: 1 } });
  }

  /** Of signals, those that were erased. One of several of the same id is enough. */
  async #erasedOf({ seqs, ids }: References): Promise<References> {
    const { reader, lookup } = this.#options;
    const isErased = (line: string | undefined) => line !== undefined && isErasedLine(line);
    const erased: { seqs: number[]; ids: string[] } = { seqs: [], ids: [] };
    for (const seq of new Set(seqs)) if (isErased(reader.at(seq))) erased.seqs.push(seq);
    for (const id of new Set(ids)) {
      // A search for an id may read all zones.
      await pause();
      const seq = readAssignedId(id)?.seq;
      const line = seq === undefined ? lookup.find(id, undefined, new LookupBudget()) : reader.at(seq);
      if (isErased(line)) erased.ids.push(id);
    }
    return erased;
  }

  #write(erasure: StoredErasure): void {
    this.#change(() => this.#store.write(erasure));
  }

  #change(change: () => void): void {
    this.#options.transaction(change, () => this.#eraser.reload());
  }
}

/** Appends and readers come in between. */
const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

/** Once it is complete, the name is forgotten. */
function ended(erasure: StoredErasure): StoredErasure {
  if (erasure.at.part !== "done") return erasure;
  return { ...erasure, source: null, reporters: [], doneMs: Date.now() };
}

/** Memory is read anew from the disk. The runtime reports that as an error. */
async function restart(object: ErasableObject): Promise<void> {
  try {
    await object.eraseSource({ do: "restart" });
  } catch (error) {
    if (!String(error).includes(RESTARTED_ERASED)) throw error;
  }
}
