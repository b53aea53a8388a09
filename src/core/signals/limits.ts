/** What one request, signal or name may measure. Cloudflare's own limits (2 MB a row, 128 KB a queue message) stand behind them. */
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
  /** Signals between a first cause and its last effect; a longer chain goes to dead letters instead of round again. */
  causalDepth: 16,
} as const;

/** UTF-8 length of `text`, in bytes; exact only where it matters, that is when `text` could exceed `limit`. */
export function exceedsBytes(text: string, limit: number): boolean {
  if (text.length > limit) return true;
  // One UTF-16 unit takes three bytes at most, so most texts need no encoding to be known as small.
  if (text.length * 3 <= limit) return false;
  return new TextEncoder().encode(text).byteLength > limit;
}
