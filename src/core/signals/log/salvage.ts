import { readSignalLine } from "../signal-line.ts";
import { readAssignedId, readNumberedId } from "./id-owner.ts";
import { hashKey } from "./key-filter.ts";
import type { ForeignIdEntry, SegmentHeader } from "./segment.ts";
import { addToRanges, type Zone } from "./zone.ts";

/** Producers have three parts at least; an id of a caller's that ends with a number may look like one of theirs. */
const PRODUCER = /^[^.]+(\.[^.]+){2,}$/;

/**
 * The header of a segment whose stored one cannot be read, from its lines. Of ids it is not known who gave them, so that
 * each is recognised again whoever sends it, and numbers count for producers alone that are known from elsewhere.
 *
 * @throws SyntaxError or TypeError where the lines cannot be read either
 */
export function headerOfLines(firstSeq: number, lines: readonly string[]): SegmentHeader {
  const names = new Set<string>();
  const causes = new Set<number>();
  const producers: [string, number, number][] = [];
  const foreignIds: ForeignIdEntry[] = [];
  let firstTs = Number.POSITIVE_INFINITY;
  let lastTs = Number.NEGATIVE_INFINITY;
  let receivedMs = 0;
  for (const [place, line] of lines.entries()) {
    const { seq, id, signal, cause, timestamp, received_at } = readSignalLine(line);
    if (seq !== firstSeq + place) throw new TypeError(`the line ${place} of a segment is the signal ${seq}`);
    names.add(signal);
    if (cause !== undefined) causes.add(hashKey("cause", cause));
    const numbered = readNumberedId(id);
    if (numbered !== undefined && PRODUCER.test(numbered.producer))
      addToRanges(producers, numbered.producer, numbered.number);
    if (readAssignedId(id)?.seq !== seq) foreignIds.push([id, seq]);
    const ts = Date.parse(timestamp);
    firstTs = Math.min(firstTs, ts);
    lastTs = Math.max(lastTs, ts);
    receivedMs = Math.max(receivedMs, Date.parse(received_at));
  }
  const times = { receivedMs, firstTs, lastTs };
  if (Object.values(times).some(Number.isNaN)) throw new TypeError("a line of a segment has no time");
  const lastSeq = firstSeq + lines.length - 1;
  return { firstSeq, lastSeq, ...times, names: [...names], producers, foreignIds, causes: [...causes], salvaged: true };
}

/** Stands for a segment of which nothing can be read: no reader finds anything in it. */
export function emptyHeader(firstSeq: number, lastSeq: number): SegmentHeader {
  return {
    firstSeq,
    lastSeq,
    receivedMs: 0,
    firstTs: Number.POSITIVE_INFINITY,
    lastTs: Number.NEGATIVE_INFINITY,
    names: [],
    producers: [],
    foreignIds: [],
    causes: [],
    salvaged: true,
  };
}

/** Stands for a zone that cannot be read: it says nothing of what it holds, and readers look inside. */
export function blindZone(firstSeq: number, lastSeq: number): Zone {
  return {
    firstSeq,
    lastSeq,
    firstTs: Number.NEGATIVE_INFINITY,
    lastTs: Number.POSITIVE_INFINITY,
    names: [],
    nameKeys: null,
    active: [],
    activeKeys: null,
    foreignIds: 1,
  };
}
