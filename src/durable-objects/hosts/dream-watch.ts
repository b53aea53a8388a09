import { DREAM_BEGINS, DREAM_ENDS, type DreamsSeen } from "../../core/hosts/monitors/promotions-reported.ts";
import type { ReadPage, ReadQuery } from "../../core/signals/api.ts";
import type { Signal } from "../../core/signals/signal.ts";

/** Pages of one look: a look after a long sleep goes on with the next one. */
const PAGES = 32;
const PAGE = 200;

/** Follows the log for the beginnings and ends of dreams, as far as somebody waits for one. Only in memory: read again. */
export class DreamWatch {
  #fromSeq = 0;
  #throughSeq = 0;
  #begunSeq = 0;
  #endedSeq = 0;

  /**
   * @param fromSeq - the earliest place behind which a dream is waited for
   * @param headSeq - how far the log is known to reach; where both are the same nothing is read
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
        const { seq, signal } = JSON.parse(line) as Signal;
        if (signal === DREAM_BEGINS) this.#begunSeq = seq;
        else this.#endedSeq = seq;
        this.#throughSeq = Math.max(this.#throughSeq, seq);
      }
      // The log may have grown past the head meanwhile: what is known to be read ends with what was found.
      if (next === null) this.#throughSeq = Math.max(this.#throughSeq, headSeq);
      else this.#throughSeq = Math.max(this.#throughSeq, next);
      caughtUp = next === null;
    }
    // What began may lie in what was not read yet: nobody is told on half the truth.
    return { headSeq, begunSeq: this.#begunSeq, endedSeq: caughtUp ? this.#endedSeq : 0 };
  }
}
