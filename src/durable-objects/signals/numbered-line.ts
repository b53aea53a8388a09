import { mayHoldNumber } from "../../core/signals/log/zone.ts";
import { lineId } from "../../core/signals/signal-line.ts";
import type { LogReader } from "./log-reader.ts";

/**
 * The line that the log holds under a number of a producer, found through zones and headers; one body is read for each
 * segment that holds the number.
 *
 * @param id - the id that the signal brought along; by default the log names it after producer and number
 */
export function numberedLine(
  reader: LogReader,
  headSeq: number,
  producer: string,
  number: number,
  id = `${producer}.${number}`,
): string | undefined {
  for (const header of reader.headersBackwards(headSeq, (zone) => mayHoldNumber(zone, producer, number))) {
    const holds = header.producers.some(
      ([name, first, last]) => name === producer && first <= number && number <= last,
    );
    const line = holds ? reader.body(header).find((one) => lineId(one) === id) : undefined;
    if (line !== undefined) return line;
  }
  return undefined;
}
