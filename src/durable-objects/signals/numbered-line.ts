import { erasedId } from "../../core/signals/log/erased.ts";
import { holdsNumber } from "../../core/signals/log/segment.ts";
import { mayHoldNumber, type Zone } from "../../core/signals/log/zone.ts";
import { lineId } from "../../core/signals/signal-line.ts";
import type { LogReader } from "./log-reader.ts";
import type { LookupBudget } from "./lookup-budget.ts";

/**
 * The line that the log holds under a number of a producer, found through zones and headers; one body is read for each
 * segment that holds the number.
 *
 * An append that compares numbers gives no budget: a number that is not found counts as that of another signal, and the
 * host would send all that it has not confirmed a second time.
 *
 * @param id - the id that the signal brought along; by default the log names it after producer and number
 */
export function numberedLine(
  reader: LogReader,
  headSeq: number,
  budget: LookupBudget,
  producer: string,
  number: number,
  id = `${producer}.${number}`,
): string | undefined {
  const mayHold = (zone: Zone) => mayHoldNumber(zone, producer, number);
  const ids = new Set(reader.holdsErased ? [id, erasedId(id)] : [id]);
  for (const header of reader.naming({ id, producer, number }, headSeq, mayHold, budget)) {
    const line = holdsNumber(header.producers, producer, number)
      ? reader.body(header).find((one) => ids.has(lineId(one)))
      : undefined;
    if (line !== undefined) return line;
  }
  return undefined;
}
