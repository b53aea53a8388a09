/**
 * Trace context of the signals that Ganglion emits (https://www.w3.org/TR/trace-context/). It is derived from ids alone, so
 * that replaying the log gives the same traces. A signal continues the trace of its cause; where the cause has none, the
 * trace's id is derived from the id of the cause.
 */
export function traceOf(id: string, cause: { readonly id: string; readonly trace?: string | undefined }): string {
  const traceId = cause.trace?.slice(3, 35) ?? hash(cause.id, 4);
  return `00-${traceId}-${hash(id, 2)}-01`;
}

/** FNV-1a over the text with a different start for each word. It spreads ids evenly; it is no cryptographic hash. */
function hash(text: string, words: number): string {
  let digits = "";
  for (let word = 0; word < words; word++) {
    let state = (0x811c9dc5 ^ Math.imul(word + 1, 0x9e3779b1)) >>> 0;
    for (let place = 0; place < text.length; place++)
      state = Math.imul(state ^ text.charCodeAt(place), 0x01000193) >>> 0;
    // All zeroes are an invalid id by the standard.
    digits += (state === 0 ? 1 : state).toString(16).padStart(8, "0");
  }
  return digits;
}
