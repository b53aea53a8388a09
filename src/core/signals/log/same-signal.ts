import type { NewSignal } from "../signal.ts";
import { lineName, readSignalLine, timestampText } from "../signal-line.ts";
import { isRestOf } from "./erased.ts";

/**
 * Whether a stored line holds what was sent. Fields that the log may have filled in (the time of a signal that came
 * without one) are not compared.
 *
 * @throws SyntaxError or TypeError when `line` is no line of the log
 */
export function isSameSignal(line: string, sent: NewSignal): boolean {
  const isRest = isRestOf(line, sent);
  if (isRest !== undefined) return isRest;
  if (lineName(line) !== sent.signal) return false;
  const stored = readSignalLine(line);
  if (stored.source !== sent.source || stored.cause !== sent.cause || stored.via?.id !== sent.via?.id) return false;
  if (sent.timestampMs !== undefined && stored.timestamp !== timestampText(sent.timestampMs)) return false;
  return JSON.stringify(stored.facts) === JSON.stringify(JSON.parse(sent.factsJson));
}

/** Whether two texts are the same JSON in different spellings, such as `1.0` and `1`. */
export function isSameJson(one: string, other: string): boolean {
  return JSON.stringify(JSON.parse(one)) === JSON.stringify(JSON.parse(other));
}

/**
 * Up to which of `first` … `last` the log holds the same signals as a sender. Two senders who share a number's past (a
 * machine and its clone, a state and the backup that replaced it) agree up to one number and differ after it, so halving
 * finds the number.
 *
 * @param same - whether the log holds the sender's signal under that number
 * @returns `first - 1` where already the first differs
 */
export function sameUpTo(first: number, last: number, same: (number: number) => boolean): number {
  if (last < first || same(last)) return last;
  let agrees = first - 1;
  let differs = last;
  while (differs - agrees > 1) {
    const middle = Math.floor((agrees + differs) / 2);
    if (same(middle)) agrees = middle;
    else differs = middle;
  }
  return agrees;
}
