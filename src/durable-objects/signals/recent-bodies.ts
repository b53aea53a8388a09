/** Characters of the bodies that are kept: a few of the largest. */
const MAX_CHARS = 4_000_000;

/**
 * The bodies of segments that were read last. A slow subscriber is sent a piece of a segment at a time, and many subscribers
 * go through the same segments: without this each piece would read and split the whole row again.
 */
export class RecentBodies {
  readonly #bodies = new Map<number, { readonly lines: readonly string[]; readonly chars: number }>();
  #chars = 0;

  /** @param read - reads the lines of the segment that begins at `firstSeq`, and the length of its body */
  lines(
    firstSeq: number,
    read: () => { readonly lines: readonly string[]; readonly chars: number },
  ): readonly string[] {
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
    for (const [oldest, { chars }] of this.#bodies) {
      if (this.#chars <= MAX_CHARS || this.#bodies.size === 1) break;
      this.#bodies.delete(oldest);
      this.#chars -= chars;
    }
    return body.lines;
  }
}
