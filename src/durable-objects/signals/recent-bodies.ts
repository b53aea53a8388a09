/** Characters of the bodies that are kept: a few of the largest. */
const MAX_CHARS = 4_000_000;
/** Segments that were read to their end, of which it is remembered. */
const MAX_FINISHED = 256;

interface Body {
  readonly lines: readonly string[];
  readonly chars: number;
}

/**
 * The bodies of segments that were read last. A slow subscriber is sent a piece of a segment at a time, and many subscribers
 * go through the same segments: without this each piece would read and split the whole row again.
 *
 * A single reader that goes through the log never comes back to a segment that it has read to its end. Keeping those would
 * carry every signal of the log through the garbage collector, which took a tenth of the time of a catch-up.
 */
export class RecentBodies {
  readonly #bodies = new Map<number, Body>();
  /** Segments that were let go at their end, by first sequence number. */
  readonly #finished = new Set<number>();
  #chars = 0;

  /** @param read - reads the lines of the segment that begins at `firstSeq`, and the length of its body */
  lines(firstSeq: number, read: () => Body): readonly string[] {
    const known = this.#bodies.get(firstSeq);
    if (known !== undefined) {
      // To the end: the first is the one that was not read for longest.
      this.#bodies.delete(firstSeq);
      this.#bodies.set(firstSeq, known);
      return known.lines;
    }
    const body = read();
    this.#bodies.set(firstSeq, body);
    this.#chars += body.chars;
    for (const oldest of this.#bodies.keys()) {
      if (this.#chars <= MAX_CHARS || this.#bodies.size === 1) break;
      this.#forget(oldest);
    }
    return body.lines;
  }

  /** A reader has come to the end of a segment. Its body is kept only where another reader had been there before. */
  finished(firstSeq: number): void {
    if (this.#finished.has(firstSeq) || !this.#bodies.has(firstSeq)) return;
    this.#forget(firstSeq);
    this.#finished.add(firstSeq);
    const [oldest] = this.#finished;
    if (this.#finished.size > MAX_FINISHED && oldest !== undefined) this.#finished.delete(oldest);
  }

  #forget(firstSeq: number): void {
    this.#chars -= this.#bodies.get(firstSeq)?.chars ?? 0;
    this.#bodies.delete(firstSeq);
  }
}
