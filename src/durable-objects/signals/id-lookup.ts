import type { EffectsQuery } from "../../core/signals/api.ts";
import { erasedId } from "../../core/signals/log/erased.ts";
import { idKey, ownerAt, ownerOfProducer, readAssignedId, readNumberedId } from "../../core/signals/log/id-owner.ts";
import { hashKey } from "../../core/signals/log/key-filter.ts";
import type { SegmentHeader } from "../../core/signals/log/segment.ts";
import { mayHold, mayHoldNumber, type Zone } from "../../core/signals/log/zone.ts";
import type { Signal } from "../../core/signals/signal.ts";
import { lineId, lineSeq, readSignalLine } from "../../core/signals/signal-line.ts";
import type { LogReader, Stretch } from "./log-reader.ts";
import { type LookupBudget, LookupShare } from "./lookup-budget.ts";

/** Signals of one id that are looked at: each owner and source may have one of its own. */
const MAX_NAMESAKES = 32;

/** A signal that names another as its cause. */
export type Effect = Pick<Signal, "seq" | "source">;

/** Which signals of an id are searched. */
export interface IdQuery {
  readonly source?: string | undefined;
  /** Only signals before this sequence number, to go on with a search. */
  readonly before?: number | undefined;
}

/** What one call has found of an id. */
export interface IdSearch {
  readonly lines: readonly string[];
  /** The log was searched from this sequence number on; 0: all of it. */
  readonly searched_from: number;
}

interface Found {
  readonly line: string;
  /** `undefined`: the edge itself. */
  readonly owner: string | undefined;
}

/**
 * Finds signals by their ids without an index, which would cost a row written for every signal. Ids that the log gave
 * out say where they are; those of a producer are found through the zones that hold the number; an id of a caller's own
 * through the zones whose filter may hold it, newest first. Such an id may belong to several signals, one for each owner
 * and source.
 */
export class IdLookup {
  readonly #reader: LogReader;
  readonly #head: () => number;
  readonly #share = new LookupShare();

  constructor(reader: LogReader, head: () => number) {
    this.#reader = reader;
    this.#head = head;
  }

  /** What one call may read. Several searches of one call share it. */
  newBudget(): LookupBudget {
    return this.#share.newBudget();
  }

  /** Whether searches have left something of this second for another one. */
  isFree(nowMs: number): boolean {
    return this.#share.isFree(nowMs);
  }

  /**
   * The signal of this id; of several, the newest.
   *
   * @param effect - a signal that names the id as its cause: of several, the one meant is that of the same owner, or of
   * the same source, that was there before it
   */
  find(id: string, effect?: Effect, budget = this.newBudget()): string | undefined {
    const search = this.#search(id, this.#head(), budget);
    if (effect === undefined) {
      const first = search.next();
      return first.done === true ? undefined : first.value.line;
    }
    return this.#meant([...search].slice(0, MAX_NAMESAKES), effect)?.line;
  }

  /** Ids of a signal and of the causes above it, nearest first, as far as the log holds them. */
  causes(id: string, limit: number): string[] {
    const chain: string[] = [];
    const budget = this.newBudget();
    let effect: Signal | undefined;
    for (let next: string | undefined = id; next !== undefined && chain.length < limit && !chain.includes(next); ) {
      chain.push(next);
      const line = this.find(next, effect, budget);
      effect = line === undefined ? undefined : readSignalLine(line);
      next = effect?.cause;
    }
    return chain;
  }

  /** Of several signals of one id, the one that `effect` means by naming the id as its cause. */
  #meant(found: readonly Found[], { seq, source }: Effect): Found | undefined {
    if (found.length < 2) return found[0];
    const owner = this.#ownerOf(seq);
    const before = found.filter(({ line }) => lineSeq(line) < seq);
    const own = before.filter((each) => each.owner === owner);
    const named = (among: readonly Found[]) => among.find(({ line }) => readSignalLine(line).source === source);
    return named(own) ?? own[0] ?? named(before) ?? before[0] ?? found[0];
  }

  /** The newest signal of this id of each owner and source, newest first, or those of one source; bounded. */
  all(id: string, { source, before }: IdQuery): IdSearch {
    const lines = new Map<string, string>();
    const search = this.#search(id, Math.min(this.#head(), (before ?? Number.POSITIVE_INFINITY) - 1), this.newBudget());
    for (;;) {
      const step = search.next();
      if (step.done === true) return { lines: [...lines.values()], searched_from: step.value };
      const { line, owner = "" } = step.value;
      const signal = readSignalLine(line);
      const key = idKey(owner, signal.source, id);
      if ((source === undefined || signal.source === source) && !lines.has(key)) lines.set(key, line);
      if (lines.size >= MAX_NAMESAKES) return { lines: [...lines.values()], searched_from: 0 };
    }
  }

  /**
   * Tells of lines that name `cause` as their cause whether they mean the signal at `seq`, and not another of the same id.
   * The signals of the id are searched once, however many lines there are.
   */
  causedBy(cause: string, seq: number): (effect: string) => boolean {
    let found: readonly Found[] | undefined;
    return (effect) => {
      found ??= [...this.#search(cause, this.#head(), this.newBudget())].slice(0, MAX_NAMESAKES);
      // Where the search ended before it came to the signal, nothing tells it from others.
      if (!found.some(({ line }) => lineSeq(line) === seq)) return true;
      const meant = this.#meant(found, readSignalLine(effect));
      return meant !== undefined && lineSeq(meant.line) === seq;
    };
  }

  /** Signals that the signals of `ids` caused, a bounded number of them; see {@link LogReader.effects}. */
  effects({ ids, after, limit, of }: EffectsQuery): Stretch & { readonly head: number } {
    const head = this.#head();
    const meansIt = of === undefined ? undefined : this.causedBy(of.id, of.seq);
    const isEffect = (line: string, cause: string) => meansIt === undefined || cause !== of?.id || meansIt(line);
    return { ...this.#reader.effects(ids, after, head, limit, isEffect), head };
  }

  #ownerOf(seq: number): string | undefined {
    const header = this.#reader.headerAt(seq);
    return header === undefined ? undefined : ownerIn(header, seq);
  }

  /** @returns the sequence number down to which the log has been searched; 0: all of it */
  *#search(id: string, fromSeq: number, budget: LookupBudget): Generator<Found, number> {
    const reader = this.#reader;
    const assigned = readAssignedId(id);
    if (assigned !== undefined && assigned.seq <= fromSeq) {
      const line = reader.at(assigned.seq);
      if (line !== undefined && lineId(line) === id) yield { line, owner: this.#ownerOf(lineSeq(line)) };
    }
    const { producer, number } = readNumberedId(id) ?? { producer: "", number: 0 };
    const alias = reader.holdsErased ? erasedId(id) : undefined;
    const hashes = [id, ...(alias === undefined ? [] : [alias])].map((each) => hashKey("id", each));
    const mayHoldId = (zone: Zone) =>
      (zone.foreignIds > 0 && hashes.some((hash) => mayHold(zone, hash))) || mayHoldNumber(zone, producer, number);
    const named = { id, producer, number, ...(alias === undefined ? {} : { alias }) };
    const headers = reader.naming(named, fromSeq, mayHoldId, budget);
    for (;;) {
      const step = headers.next();
      if (step.done === true) return step.value;
      const header = step.value;
      for (const line of reader.body(header).toReversed()) {
        budget.read(line.length);
        const found = lineId(line);
        if ((found === id || found === alias) && lineSeq(line) <= fromSeq)
          yield { line, owner: ownerIn(header, lineSeq(line)) };
      }
    }
  }
}

/** Of a segment in which a producer's signals stand beside others, the numbers do not say which line is whose. */
function ownerIn(header: SegmentHeader, seq: number): string | undefined {
  const owner = ownerAt(header, seq);
  if (owner !== undefined) return owner;
  const [first, ...others] = new Set(header.producers.map(([producer]) => ownerOfProducer(producer)));
  return others.length === 0 ? first : undefined;
}
