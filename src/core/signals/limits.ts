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

/** Length of `text` in UTF-8. Encodes it: natively that is ten times as fast as counting the characters here. */
export function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}
