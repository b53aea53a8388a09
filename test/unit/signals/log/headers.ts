import { expect } from "vitest";
import { hashKey } from "../../../../src/core/signals/log/key-filter.ts";
import type { Segment } from "../../../../src/core/signals/log/segment.ts";
import { mayHold, type Zone } from "../../../../src/core/signals/log/zone.ts";
import type { Signal } from "../../../../src/core/signals/signal.ts";

const unique = <Value>(values: readonly Value[]) => [...new Set(values)];

/** As text: comparing field by field takes longer than all that led to it. */
function same(seen: object, expected: object): void {
  expect(JSON.stringify(seen)).toBe(JSON.stringify(expected));
}

/** The header of a segment says of its lines what is in them. */
export function checkSegment(segment: Segment): void {
  const signals = segment.lines.map((line) => JSON.parse(line) as Signal);
  const times = signals.map(({ timestamp }) => Date.parse(timestamp));
  const numbered = segment.producers.flatMap(([producer, first, last]) =>
    Array.from({ length: last - first + 1 }, (_, n) => `${producer}.${first + n}`),
  );
  const { firstSeq, lastSeq, receivedMs, firstTs, lastTs, names, foreignIds, causes } = segment;
  same(
    { firstSeq, lastSeq, receivedMs, firstTs, lastTs, names, foreignIds, causes, numbered },
    {
      firstSeq: signals[0]?.seq,
      lastSeq: signals.at(-1)?.seq,
      receivedMs: Date.parse(signals[0]?.received_at ?? ""),
      firstTs: Math.min(...times),
      lastTs: Math.max(...times),
      names: unique(signals.map(({ signal }) => signal)),
      foreignIds: signals.filter(({ id }) => id.startsWith("id-")).map(({ id, seq }) => [id, seq, 0]),
      causes: unique(signals.flatMap(({ cause }) => (cause === undefined ? [] : [hashKey("cause", cause)]))),
      numbered: signals.filter(({ id }) => /^[ab]\./.test(id)).map(({ id }) => id),
    },
  );
}

/** A zone sums its segments up. */
export function checkZone(zone: Zone, all: readonly Segment[]): void {
  const segments = all.filter(({ firstSeq, lastSeq }) => firstSeq >= zone.firstSeq && lastSeq <= zone.lastSeq);
  const ranges = segments.flatMap(({ producers }) => producers);
  const ids = segments.flatMap(({ foreignIds }) => foreignIds);
  const { keys: _, ...summed } = zone;
  expect(summed).toEqual({
    firstSeq: segments[0]?.firstSeq,
    lastSeq: segments.at(-1)?.lastSeq,
    firstTs: Math.min(...segments.map(({ firstTs }) => firstTs)),
    lastTs: Math.max(...segments.map(({ lastTs }) => lastTs)),
    receivedMs: segments.at(-1)?.receivedMs,
    names: unique(segments.flatMap(({ names }) => names)),
    active: unique(ranges.map(([producer]) => producer)),
    began: Object.fromEntries(ranges.toReversed().map(([producer, first]) => [producer, first])),
    ended: Object.fromEntries(ranges.map(([producer, , last]) => [producer, last])),
    foreignIds: ids.length,
  });
  const hashes = [...ids.map(([id]) => hashKey("id", id)), ...segments.flatMap(({ causes }) => causes)];
  expect(hashes.every((hash) => mayHold(zone, hash))).toBe(true);
}
