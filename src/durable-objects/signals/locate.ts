import { hashKey } from "../../core/signals/log/key-filter.ts";
import type { SegmentHeader } from "../../core/signals/log/segment.ts";
import { mayHold, type Zone } from "../../core/signals/log/zone.ts";
import { lineId } from "../../core/signals/signal-line.ts";
import type { LogReader } from "./log-reader.ts";

/** `s<seq>.<epoch>`: the id that the log assigns to a signal that came without one. */
const ASSIGNED = /^s(\d{1,15})\.[0-9a-f]{6}$/;
/** `<producer>.<number>`: the id that the log assigns to a signal of a producer. */
const NUMBERED = /^(.+)\.(\d{1,15})$/;

/**
 * Finds a signal by its id without an index, which would cost a row written for every signal. An id that the log assigned
 * contains the sequence number; the id of a producer's signal is found through the zones that hold its number; an id that
 * a caller chose is found through the zones whose filter may hold it, newest first.
 */
export function locate(id: string, reader: LogReader, headSeq: number): string | undefined {
  const assigned = ASSIGNED.exec(id);
  if (assigned !== null) {
    const line = reader.at(Number(assigned[1]));
    if (line !== undefined && lineId(line) === id) return line;
  }
  const numbered = NUMBERED.exec(id);
  const [producer, number] = numbered === null ? ["", 0] : [numbered[1] ?? "", Number(numbered[2])];
  const hash = hashKey("id", id);
  for (const header of reader.headersBackwards(
    headSeq,
    (zone) => (zone.foreignIds > 0 && mayHold(zone, hash)) || numbersHold(zone, producer, number),
  )) {
    const place = placeIn(header, id, producer, number);
    if (place === undefined) continue;
    for (let seq = place.from; seq <= place.to; seq++) {
      const line = reader.at(seq);
      if (line !== undefined && lineId(line) === id) return line;
    }
  }
  return undefined;
}

function numbersHold(zone: Zone, producer: string, number: number): boolean {
  if (!zone.active.includes(producer) || number > (zone.producers[producer] ?? 0)) return false;
  return number >= (zone.began?.[producer] ?? 0);
}

/** The range of a segment that may hold the id. A producer's signals may have ids of their own: the lines are compared. */
function placeIn(
  header: SegmentHeader,
  id: string,
  producer: string,
  number: number,
): { from: number; to: number } | undefined {
  const foreign = header.foreignIds.find(([known]) => known === id);
  if (foreign !== undefined) return { from: foreign[1], to: foreign[1] };
  const holds = header.producers.some(([name, first, last]) => name === producer && first <= number && number <= last);
  return holds ? { from: header.firstSeq, to: header.lastSeq } : undefined;
}
