import { DREAM_BEGINS, DREAM_ENDS, type DreamsSeen } from "../../core/hosts/monitors/promotions-reported.ts";
import type { ReadPage, ReadQuery } from "../../core/signals/api.ts";
import { readSignalLine } from "../../core/signals/signal-line.ts";

/** Maximum number of pages of one look. After a long sleep the next look continues. */
const PAGES = 32;
const PAGE = 200;

/** Finds the beginnings and ends of dreams in the log, as far as a host waits for one. In memory only; read again after a sleep. */
export class DreamWatch {
  #fromSeq = 0;
  #throughSeq = 0;
  #begunSeq = 0;
  #endedSeq = 0;

  /**
   * @param fromSeq - the lowest sequence number after which a host waits for a dream
   * @param headSeq - last known sequence number of the log; nothing is read where both are equal
   */
  async look(read: (query: ReadQuery) => PromiseLike<ReadPage>, fromSeq: number, headSeq: number): Promise<DreamsSeen> {
    if (fromSeq < this.#fromSeq || fromSeq > this.#throughSeq) {
      this.#fromSeq = fromSeq;
      this.#throughSeq = fromSeq;
      this.#begunSeq = 0;
      this.#endedSeq = 0;
    }
    let caughtUp = this.#throughSeq >= headSeq;
    for (let page = 0; page < PAGES && !caughtUp; page++) {
      const query = {
        signals: [DREAM_BEGINS, ...DREAM_ENDS],
        after: this.#throughSeq,
        limit: PAGE,
        order: "asc",
      } as const;
      const { lines, next } = await read(query);
      for (const line of lines) {
        const { seq, signal } = readSignalLine(line);
        if (signal === DREAM_BEGINS) this.#begunSeq = seq;
        else this.#endedSeq = seq;
        this.#throughSeq = Math.max(this.#throughSeq, seq);
      }
      // The log may have grown beyond the head meanwhile: only up to the head, or the last line found, it is known as read.
      if (next === null) this.#throughSeq = Math.max(this.#throughSeq, headSeq);
      else this.#throughSeq = Math.max(this.#throughSeq, next);
      caughtUp = next === null;
    }
    // A dream may have begun in the part that is not read yet: until then no end is returned, or a dream could be missed.
    return { headSeq, begunSeq: this.#begunSeq, endedSeq: caughtUp ? this.#endedSeq : 0 };
  }
}
