import { utf8Bytes } from "../limits.ts";
import { lineSeq } from "../signal-line.ts";

/** A `signals` frame that is ready to be sent. */
export interface SignalFrame {
  readonly text: string;
  /** Sequence number of its last signal. */
  readonly last: number;
  readonly signals: number;
  readonly bytes: number;
}

/**
 * Signals as frames in their order, each of at most `maxBytes`, or of one signal.
 *
 * @param lines - signals as JSON
 */
export function* framesOf(lines: readonly string[], maxBytes: number): Generator<SignalFrame> {
  let first = 0;
  let bytes = 0;
  for (let place = 0; place < lines.length; place++) {
    const size = utf8Bytes(lines[place] ?? "") + 1;
    if (place > first && bytes + size > maxBytes) {
      yield frameOf(lines.slice(first, place), bytes);
      first = place;
      bytes = 0;
    }
    bytes += size;
  }
  if (first < lines.length) yield frameOf(first === 0 ? lines : lines.slice(first), bytes);
}

function frameOf(lines: readonly string[], linesBytes: number): SignalFrame {
  const last = lineSeq(lines.at(-1) ?? "");
  const head = `{"type":"signals","last":${last},"signals":[`;
  return { text: `${head}${lines.join(",")}]}`, last, signals: lines.length, bytes: head.length + linesBytes + 1 };
}
