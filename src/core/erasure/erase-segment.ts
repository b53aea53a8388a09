import { erasedId, erasedKey, isErasedLine, placeholderOf } from "../signals/log/erased.ts";
import { isVouchedId, keyOfEntry, readNumberedId } from "../signals/log/id-owner.ts";
import { hashKey } from "../signals/log/key-filter.ts";
import {
  type ErasedKeyEntry,
  type ForeignIdEntry,
  holdsNumber,
  type Segment,
  type SegmentHeader,
} from "../signals/log/segment.ts";
import type { Signal } from "../signals/signal.ts";
import { lineCause, lineId, lineName, readSignalLine, signalLine } from "../signals/signal-line.ts";
import type { Mentions } from "./mentions.ts";

/** What is erased, as the log looks for it. */
export interface Subject {
  readonly mentions: Mentions;
  /** The source's own signals up to here; what it sends later stays. */
  readonly throughSeq: number;
  /**
   * What became of the signal that `effect` names as its cause.
   *
   * @returns its id from now on, where it was erased
   */
  readonly erasedCause: (cause: string, effect: Signal) => string | undefined;
}

export interface ErasedSegment {
  readonly segment: Segment;
  /** Ids of the erased signals, as they were. */
  readonly erased: readonly string[];
  /** Names under which the source reported measurements. */
  readonly reporters: readonly string[];
}

/** Sources of the edge itself: what its parts emit follows from signals, and repeats what those say. */
const isOfEdge = (source: string): boolean => source === "ganglion" || source.startsWith("ganglion/");
const CAUSE = ',"cause":"';

/**
 * A segment without what a source said: its signals, and those that the edge emitted because of them, become placeholders at
 * their places; elsewhere its name is replaced. Done twice, nothing more is changed.
 *
 * @param segment - as it is stored; a line that is no signal is left out where the name is in it
 * @returns `undefined`: nothing of the segment concerns the source
 */
export function eraseSegment(segment: Segment, subject: Subject): ErasedSegment | undefined {
  const { mentions } = subject;
  const hasEffects = segment.causes.length > 0 || segment.salvaged === true;
  const foreign = new Map(
    segment.foreignIds.filter((entry) => isGiven(entry, segment)).map((entry) => [entry[1], entry]),
  );
  const lines: string[] = [];
  const erased: string[] = [];
  const reporters = new Set<string>();
  const renamed = new Map<number, ForeignIdEntry>();
  /** Of this segment, new ids by the old ones: nobody else knows of them yet. */
  const here = new Map<string, string>();
  const within: Subject = {
    ...subject,
    erasedCause: (cause, effect) => here.get(cause) ?? subject.erasedCause(cause, effect),
  };
  let changed = false;
  for (const line of segment.lines) {
    const named = mentions.mayBeIn(line);
    if (!named && !(hasEffects && line.includes(CAUSE))) {
      lines.push(line);
      continue;
    }
    const signal = readOrUndefined(line);
    if (signal === undefined) {
      changed ||= named;
      if (!named) lines.push(line);
      continue;
    }
    const entry = foreign.get(signal.seq);
    const left = without(line, signal, entry !== undefined, named, within);
    if (left !== line) {
      changed = true;
      if (entry !== undefined && lineId(left) !== signal.id) renamed.set(signal.seq, entry);
      if (isErasedLine(left) && !isErasedLine(line)) {
        erased.push(signal.id);
        here.set(signal.id, lineId(left));
        const reporter = reporterOf(signal, mentions.name);
        if (reporter !== undefined) reporters.add(reporter);
      }
    }
    lines.push(left);
  }
  if (!changed) return undefined;
  return { segment: { ...headerOf(segment, lines, renamed), lines }, erased, reporters: [...reporters] };
}

/** The name under which a measurement of the source itself counts. */
function reporterOf({ signal, source, facts }: Signal, name: string): string | undefined {
  const reporter = facts.zooid ?? facts.zooid_name;
  return signal === "OBSERVATION" && source === name && typeof reporter === "string" ? reporter : undefined;
}

/** What becomes of a line. @param foreign - its id is of a caller's own @param named - the name may be in the line */
function without(line: string, signal: Signal, foreign: boolean, named: boolean, subject: Subject): string {
  const { mentions, throughSeq, erasedCause } = subject;
  const { source, via, cause, seq, id } = signal;
  // Of others' signals the cause matters where its id may have become another one.
  const asks = cause !== undefined && (isOfEdge(source) || isForeign(cause));
  const known = asks ? erasedCause(cause, signal) : undefined;
  const within = seq <= throughSeq;
  const nextCause =
    known ?? (cause !== undefined && within && mentions.mayBeIn(cause) && isForeign(cause) ? erasedId(cause) : cause);
  if (!isErasedLine(line)) {
    const own = within && (source === mentions.name || via?.source === mentions.name);
    const follows = isOfEdge(source) && (known !== undefined || (within && named && isGapOf(signal, mentions)));
    if (own || follows) return placeholderOf(line, foreign ? erasedId(id) : id, nextCause);
  }
  if (!within || !named) return nextCause === cause ? line : rewritten(signal, { cause: nextCause });
  const changes = {
    id: foreign && mentions.mayBeIn(id) ? erasedId(id) : id,
    cause: nextCause,
    facts: mentions.withoutFields(signal.facts),
  };
  const same = changes.id === id && changes.cause === cause && changes.facts === signal.facts;
  return same ? line : rewritten(signal, changes);
}

/** A header that was read from its lines lists the ids of producers, too. */
function isGiven([id]: ForeignIdEntry, { salvaged, producers }: Segment): boolean {
  if (salvaged !== true) return true;
  const numbered = readNumberedId(id);
  return numbered === undefined || !holdsNumber(producers, numbered.producer, numbered.number);
}

/** Whether somebody may have given the id; those of the edge and of agents' producers are numbers, and stay. */
const isForeign = (id: string): boolean => !isVouchedId(id);

/** Gaps of one reporter end in its name, and their reasons name it. */
function isGapOf({ facts }: Signal, mentions: Mentions): boolean {
  const { gap_name: gap, gap_reason: reason } = facts;
  const named = typeof gap === "string" && gap.endsWith(`_${mentions.name}`);
  return named && typeof reason === "string" && mentions.isWordOf(reason);
}

function rewritten(signal: Signal, changes: Partial<Signal>): string {
  const { seq, id, ecosystem, timestamp, received_at, facts, ...rest } = { ...signal, ...changes };
  const { signal: name, source, cause, trace, depth, via, hops } = rest;
  const fields = { id, signal: name, source, timestampMs: undefined, factsJson: JSON.stringify(facts) };
  return signalLine(seq, id, { ...fields, cause, trace, depth, via, hops }, ecosystem, timestamp, received_at);
}

function headerOf(
  segment: Segment,
  lines: readonly string[],
  renamed: ReadonlyMap<number, ForeignIdEntry>,
): SegmentHeader {
  const names = new Set<string>();
  const causes = new Set<number>();
  for (const line of lines) {
    if (readOrUndefined(line) === undefined) continue;
    names.add(lineName(line));
    const cause = lineCause(line);
    if (cause !== undefined) causes.add(hashKey("cause", cause));
  }
  const keys: ErasedKeyEntry[] = [...(segment.erased ?? [])];
  const sources: string[] = [];
  const foreignIds = segment.foreignIds.map((entry): ForeignIdEntry => {
    const [id, seq, source] = entry;
    if (renamed.has(seq)) {
      keys.push([erasedKey(keyOfEntry(entry, segment)), seq]);
      return [erasedId(id), seq];
    }
    const name = source === undefined ? undefined : segment.sources?.[source];
    if (name === undefined) return [id, seq];
    if (!sources.includes(name)) sources.push(name);
    return [id, seq, sources.indexOf(name)];
  });
  const { firstSeq, lastSeq, receivedMs, firstTs, lastTs, producers, owners, hosts, salvaged } = segment;
  return {
    firstSeq,
    lastSeq,
    receivedMs,
    firstTs,
    lastTs,
    names: [...names],
    producers,
    foreignIds,
    causes: [...causes],
    ...(sources.length > 0 && { sources }),
    ...(owners && { owners }),
    ...(hosts && { hosts }),
    ...(keys.length > 0 && { erased: keys }),
    ...(salvaged && { salvaged }),
  };
}

function readOrUndefined(line: string): Signal | undefined {
  try {
    return readSignalLine(line);
  } catch {
    return undefined;
  }
}
