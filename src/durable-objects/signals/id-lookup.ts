import { idKey, ownerAt, ownerOfProducer } from "../../core/signals/log/id-owner.ts";
import { hashKey } from "../../core/signals/log/key-filter.ts";
import type { SegmentHeader } from "../../core/signals/log/segment.ts";
import { mayHold, mayHoldNumber } from "../../core/signals/log/zone.ts";
import type { Signal } from "../../core/signals/signal.ts";
import { lineId, lineSeq, readSignalLine } from "../../core/signals/signal-line.ts";
import type { LogReader } from "./log-reader.ts";

/** `s<seq>.<epoch>`, as the log names signals that came without an id. */
const ASSIGNED = /^s(\d{1,15})\.[0-9a-f]{6}$/;
/** `<producer>.<number>`, as it names those of a producer. */
const NUMBERED = /^(.+)\.(\d{1,15})$/;
/** Signals of one id that are looked at: each owner and source may have one of its own. */
const MAX_NAMESAKES = 32;

/** A signal that names another as its cause. */
export type Effect = Pick<Signal, "seq" | "source">;

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

  constructor(reader: LogReader, head: () => number) {
    this.#reader = reader;
    this.#head = head;
  }

  /**
   * The signal of this id; of several, the newest.
   *
   * @param effect - a signal that names the id as its cause: of several, the one meant is that of the same owner, or of
   * the same source, that was there before it
   */
  find(id: string, effect?: Effect): string | undefined {
    if (effect === undefined) return this.#search(id).next().value?.line;
    const found = [...this.#search(id)].slice(0, MAX_NAMESAKES);
    if (found.length < 2) return found[0]?.line;
    const { seq, source } = effect;
    const owner = this.#ownerOf(seq);
    const before = found.filter(({ line }) => lineSeq(line) < seq);
    const own = before.filter((each) => each.owner === owner);
    const named = (among: readonly Found[]) => among.find(({ line }) => readSignalLine(line).source === source);
    return (named(own) ?? own[0] ?? named(before) ?? before[0] ?? found[0])?.line;
  }

  /** The newest signal of this id of each owner and source, newest first, or those of one source; bounded. */
  all(id: string, source?: string): string[] {
    const lines = new Map<string, string>();
    for (const { line, owner = "" } of this.#search(id)) {
      const signal = readSignalLine(line);
      const key = idKey(owner, signal.source, id);
      if ((source === undefined || signal.source === source) && !lines.has(key)) lines.set(key, line);
      if (lines.size >= MAX_NAMESAKES) break;
    }
    return [...lines.values()];
  }

  /** Whether the cause that the signal on a line names is the one at `seq`. */
  isCausedBy(effect: string, cause: string, seq: number): boolean {
    const line = this.find(cause, readSignalLine(effect));
    return line !== undefined && lineSeq(line) === seq;
  }

  #ownerOf(seq: number): string | undefined {
    const header = this.#reader.headerAt(seq);
    return header === undefined ? undefined : ownerIn(header, seq);
  }

  *#search(id: string): Generator<Found> {
    const reader = this.#reader;
    const assigned = ASSIGNED.exec(id);
    if (assigned !== null) {
      const line = reader.at(Number(assigned[1]));
      if (line !== undefined && lineId(line) === id) yield { line, owner: this.#ownerOf(lineSeq(line)) };
    }
    const numbered = NUMBERED.exec(id);
    const [producer, number] = numbered === null ? ["", 0] : [numbered[1] ?? "", Number(numbered[2])];
    const hash = hashKey("id", id);
    for (const header of reader.headersBackwards(
      this.#head(),
      (zone) => (zone.foreignIds > 0 && mayHold(zone, hash)) || mayHoldNumber(zone, producer, number),
    )) {
      const foreign = header.foreignIds.some(([known]) => known === id);
      const holds = header.producers.some(
        ([name, first, last]) => name === producer && first <= number && number <= last,
      );
      if (!foreign && !holds) continue;
      for (const line of reader.body(header).toReversed()) {
        if (lineId(line) === id) yield { line, owner: ownerIn(header, lineSeq(line)) };
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
