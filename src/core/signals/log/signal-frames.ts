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
  const whole = frameOf(lines);
  const { text } = whole;
  if (whole.bytes <= maxBytes || lines.length === 1) return yield whole;
  // Nearly always: then no line has to be encoded by itself.
  const isAscii = whole.bytes === text.length;
  const around = text.length - lines.reduce((sum, line) => sum + line.length + 1, -1);
  let first = 0;
  let bytes = around;
  for (let place = 0; place < lines.length; place++) {
    const line = lines[place] ?? "";
    const size = (isAscii ? line.length : utf8Bytes(line)) + 1;
    if (place > first && bytes + size > maxBytes) {
      yield frameOf(lines.slice(first, place));
      first = place;
      bytes = around;
    }
    bytes += size;
  }
  yield frameOf(lines.slice(first));
}

/** One join makes the text: parts that are added to a joined text would be copied with all of it once more, to be sent. */
function frameOf(lines: readonly string[]): SignalFrame {
  const last = lineSeq(lines.at(-1) ?? "");
  const parts = lines.slice();
  parts[0] = `{"type":"signals","last":${last},"signals":[${parts[0]}`;
  parts[parts.length - 1] += "]}";
  const text = parts.join(",");
  return { text, last, signals: lines.length, bytes: utf8Bytes(text) };
}
