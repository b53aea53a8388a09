import { type LogBase, readLogBase } from "../../core/signals/log/log-base.ts";
import { blindZone, emptyHeader, headerOfLines } from "../../core/signals/log/salvage.ts";
import { holdsNumber, type SegmentHeader } from "../../core/signals/log/segment.ts";
import { readZone, type Zone } from "../../core/signals/log/zone.ts";
import { lineSeq, readSignalLine } from "../../core/signals/signal-line.ts";
import type { DamagedRows } from "./damaged-rows.ts";
import { type HeaderRow, readHeader, readKeys, readRanges } from "./segment-row.ts";

export interface ZoneRow {
  [column: string]: SqlStorageValue;
  first_seq: number;
  last_seq: number;
  body: string;
}

/** More than a segment holds: numbers behind one that cannot be read must not be given out twice. */
const SEGMENT_SIGNALS = 10_000;

/**
 * Reads rows of the log, and makes of damaged ones what can be made: the row stays where it is and is noted, and the log goes
 * on without it.
 */
export class SalvagedRows {
  readonly #damaged: DamagedRows;
  readonly #lines: (slice: number, firstSeq: number) => readonly string[];

  constructor(damaged: DamagedRows, lines: (slice: number, firstSeq: number) => readonly string[]) {
    this.#damaged = damaged;
    this.#lines = lines;
  }

  /** Headers of rows in order; what one does not say is read from the segment's signals. */
  headers(slice: number, rows: readonly HeaderRow[]): SegmentHeader[] {
    return rows.map((row, place) => {
      try {
        return readHeader(row);
      } catch (error) {
        this.#damaged.note("header", row.first_seq, error);
        return this.#salvaged(slice, row, rows[place + 1]?.first_seq);
      }
    });
  }

  /** A zone that says nothing, where the stored one cannot be read; `undefined`: not even where it ends is known. */
  zone({ first_seq: firstSeq, last_seq: lastSeq, body }: ZoneRow): Zone | undefined {
    try {
      const zone = readZone(body);
      if (zone.firstSeq === firstSeq && zone.lastSeq === lastSeq) return zone;
      throw new TypeError(`a stored zone says that it holds ${zone.firstSeq} to ${zone.lastSeq}`);
    } catch (error) {
      this.#damaged.note("zone", firstSeq, error);
      return Number.isInteger(lastSeq) && lastSeq >= firstSeq ? blindZone(firstSeq, lastSeq) : undefined;
    }
  }

  /** The lines of a segment that are signals with the numbers that they should have. */
  lines(firstSeq: number, body: SqlStorageValue): readonly string[] {
    const lines = String(body).split("\n");
    if (lines.every((line, place) => isLine(line, firstSeq + place))) return lines;
    this.#damaged.note("body", firstSeq, `${lines.length} lines, of which some are no signals`);
    return lines.filter((line) => isSignalAt(line, firstSeq, firstSeq + lines.length));
  }

  /** What segments lists of ids; nothing where that cannot be read. */
  keys(firstSeq: number, ids: string): ReturnType<typeof readKeys> {
    try {
      return readKeys(ids);
    } catch (error) {
      this.#damaged.note("header", firstSeq, error);
      return { foreignIds: [], causes: [] };
    }
  }

  /** Whether a segment holds a number; one that does not say so has to be looked into. */
  holdsNumber(firstSeq: number, producers: string, producer: string, number: number): boolean {
    try {
      return holdsNumber(readRanges(producers), producer, number);
    } catch (error) {
      this.#damaged.note("header", firstSeq, error);
      return true;
    }
  }

  /** @returns `undefined` where the base cannot be read */
  base(slice: number, text: string): LogBase | undefined {
    try {
      return readLogBase(text);
    } catch (error) {
      this.#damaged.note("slice", slice, error);
      return undefined;
    }
  }

  #salvaged(slice: number, { first_seq: firstSeq, last_seq }: HeaderRow, nextSeq: number | undefined): SegmentHeader {
    const lines = this.#lines(slice, firstSeq);
    try {
      if (lines.length > 0) return headerOfLines(firstSeq, lines);
    } catch (error) {
      this.#damaged.note("body", firstSeq, error);
    }
    const end = nextSeq === undefined ? firstSeq + SEGMENT_SIGNALS : nextSeq - 1;
    return emptyHeader(firstSeq, Number.isInteger(last_seq) && last_seq >= firstSeq ? last_seq : end);
  }
}

/** Cheap, and without a text of its own to compare with: every line that is read from the disk passes here. */
function isLine(line: string, seq: number): boolean {
  const digits = String(seq);
  return (
    line.startsWith(digits, HEAD.length) &&
    line.startsWith(HEAD) &&
    line.startsWith(',"id":"', HEAD.length + digits.length) &&
    line.endsWith("}")
  );
}

const HEAD = '{"seq":';

function isSignalAt(line: string, firstSeq: number, endSeq: number): boolean {
  const seq = lineSeq(line);
  if (!(seq >= firstSeq && seq < endSeq) || !isLine(line, seq)) return false;
  try {
    readSignalLine(line);
    return true;
  } catch {
    return false;
  }
}
