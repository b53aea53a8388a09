import type { AppendRequest, NumberConflict } from "../api.ts";
import type { NewSignal } from "../signal.ts";
import { isSameJson, isSameSignal, sameUpTo } from "./same-signal.ts";

/** The line that the log holds under a number of a producer. @param id - the id that the signal brought along, if any */
export type StoredSignal = (producer: string, number: number, id: string | undefined) => string | undefined;

/**
 * A known producer's next number may be this far ahead of its last: a spool that sheds observations leaves holes. Beyond it,
 * a number that was set by mistake or in malice would make the log drop all that the producer really sends.
 */
const MAX_AHEAD = 1_000_000;
/** Producers that are remembered as closed. Each costs its owner a new name, so there are few. */
const MAX_CLOSED = 10_000;

/**
 * Compares the numbers of other machines with the log. A clone of a machine, or one whose state was set back, numbers
 * different signals as its twin did; dropping them as repetitions would lose them.
 */
export class NumberCheck {
  /**
   * Producers two of whom were seen. Frames that were on their way when the difference was found would continue the
   * numbers as if nothing had happened, and come again under the new name. Lost with the memory: by then, the difference
   * is found anew, or no frame is on its way any more.
   */
  readonly #closed = new Set<string>();
  /** Requests of the present group, which the log does not hold yet, by producer. */
  #group = new Map<string, AppendRequest[]>();

  /** The group ends: its requests are numbered, and are stored before the next group begins. */
  end(): void {
    // Not `clear()`: a map of V8 that is cleared keeps a pointer to the table that takes its place. Once one such table is
    // old, the young collections take every later one for alive, and with them all signals of the log.
    if (this.#group.size > 0) this.#group = new Map();
  }

  /** An administrator has repaired the producer. */
  reopen(producer: string): void {
    this.#closed.delete(producer);
  }

  /**
   * @param mayMiss - whether the log may have left a signal out that it confirmed: its absence is no difference
   * @returns `undefined` when the request may be appended; its numbers at or below `lastOf` are repetitions
   */
  check(
    request: AppendRequest,
    lastOf: (producer: string) => number,
    stored: StoredSignal,
    mayMiss: (signal: NewSignal) => boolean = () => false,
  ): NumberConflict | undefined {
    const { producer, signals } = request;
    if (producer?.remote !== true) return undefined;
    const { name, first } = producer;
    const last = lastOf(name);
    const repeated = Math.min(last, first + signals.length - 1);
    const agreed =
      repeated < first ? null : sameUpTo(first, repeated, (number) => this.#isSame(request, number, stored, mayMiss));
    if (agreed !== null && agreed < repeated) {
      this.#close(name);
      return { conflict: "differs", same_up_to: agreed, last };
    }
    if (this.#closed.has(name)) return { conflict: "closed", same_up_to: agreed, last };
    if (last > 0 && first > last + MAX_AHEAD) return { conflict: "gap", same_up_to: null, last };
    const group = this.#group.get(name);
    if (group === undefined) this.#group.set(name, [request]);
    else group.push(request);
    return undefined;
  }

  #isSame(
    request: AppendRequest,
    number: number,
    stored: StoredSignal,
    mayMiss: (signal: NewSignal) => boolean,
  ): boolean {
    const { name, first } = request.producer ?? { name: "", first: 0 };
    const sent = request.signals[number - first];
    if (sent === undefined) return false;
    const waiting = this.#inGroup(name, number);
    if (waiting !== undefined) return isSameDraft(waiting, sent);
    // An id that belongs to somebody else was not taken over from the sender: the log named the signal itself.
    const line = stored(name, number, sent.id) ?? (sent.id === undefined ? undefined : stored(name, number, undefined));
    return line === undefined ? mayMiss(sent) : isSameSignal(line, sent);
  }

  #inGroup(producer: string, number: number): NewSignal | undefined {
    for (const request of this.#group.get(producer) ?? []) {
      const place = number - (request.producer?.first ?? 0);
      const signal = place < 0 ? undefined : request.signals[place];
      if (signal !== undefined) return signal;
    }
    return undefined;
  }

  #close(producer: string): void {
    if (this.#closed.size >= MAX_CLOSED) {
      const [oldest] = this.#closed;
      if (oldest !== undefined) this.#closed.delete(oldest);
    }
    this.#closed.add(producer);
  }
}

function isSameDraft(a: NewSignal, b: NewSignal): boolean {
  return (
    a.signal === b.signal &&
    a.source === b.source &&
    a.id === b.id &&
    a.timestampMs === b.timestampMs &&
    (a.factsJson === b.factsJson || isSameJson(a.factsJson, b.factsJson)) &&
    a.cause === b.cause &&
    a.via?.id === b.via?.id
  );
}
