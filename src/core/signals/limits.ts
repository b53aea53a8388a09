/** Largest sizes of a request, a signal and a name. They keep below Cloudflare's limits: 2 MB a row, 128 KB a queue message. */
export const LIMITS = {
  /** Serialised size of one signal, in UTF-8 bytes. */
  signalBytes: 64 * 1024,
  /** Signals in one request or link frame. */
  batchSignals: 1_000,
  /** Size of one request body or link frame, in UTF-8 bytes. */
  batchBytes: 1024 * 1024,
  /** Characters in a signal's name. */
  nameLength: 128,
  /** Characters in an id, a cause, a source or a producer. */
  identifierLength: 256,
  /** Signals from a first cause to its last effect. The next effect of a longer chain, a circle mostly, becomes a dead letter. */
  causalDepth: 16,
  /** How often a chain of causes may go from one ecosystem to another. The next forwarding becomes a dead letter. */
  hops: 8,
} as const;

/** Whether `text` takes more than `limit` bytes in UTF-8. Encodes the text only where its length leaves a doubt. */
export function exceedsBytes(text: string, limit: number): boolean {
  if (text.length > limit) return true;
  // One UTF-16 unit takes three bytes at most, so the length alone shows that most texts are small enough.
  if (text.length * 3 <= limit) return false;
  return utf8Bytes(text) > limit;
}

const encoder = new TextEncoder();
// Overwritten by every call: what `encode` returns instead is a new buffer outside of the heap, for every text.
const scratch = new Uint8Array(64 * 1024);

/** Length of `text` in UTF-8. Encodes it: natively that is ten times as fast as counting the characters here. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; ) {
    // Never half of a surrogate pair: what does not fit is left for the next round.
    const { read, written } = encoder.encodeInto(at === 0 ? text : text.slice(at), scratch);
    at += read;
    bytes += written;
  }
  return bytes;
}
