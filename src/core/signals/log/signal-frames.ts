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
  if (lines.length === 0) return;
  const all = lines.join(",");
  const allBytes = utf8Bytes(all);
  if (allBytes < maxBytes || lines.length === 1) return yield frameOf(lines, all, allBytes);
  // Nearly always: then no line has to be encoded by itself.
  const isAscii = allBytes === all.length;
  let first = 0;
  let bytes = 0;
  for (let place = 0; place < lines.length; place++) {
    const line = lines[place] ?? "";
    const size = (isAscii ? line.length : utf8Bytes(line)) + 1;
    if (place > first && bytes + size > maxBytes) {
      yield frameOfLines(lines.slice(first, place), bytes);
      first = place;
      bytes = 0;
    }
    bytes += size;
  }
  yield frameOfLines(lines.slice(first), bytes);
}

/** @param bytes - of the lines, each with the comma behind it */
const frameOfLines = (lines: readonly string[], bytes: number) => frameOf(lines, lines.join(","), bytes - 1);

function frameOf(lines: readonly string[], joined: string, joinedBytes: number): SignalFrame {
  const last = lineSeq(lines.at(-1) ?? "");
  const head = `{"type":"signals","last":${last},"signals":[`;
  return { text: `${head}${joined}]}`, last, signals: lines.length, bytes: head.length + joinedBytes + 2 };
}
