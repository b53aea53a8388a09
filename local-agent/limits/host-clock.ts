/**
 * Time that goes on with the clock, and with the time that passes where the clock is set back or the machine sleeps: what the edge
 * lets expire is never thought to be held.
 */
export function hostClock(wall: () => number, monotonic: () => number = () => performance.now()): () => number {
  let [ownMs, wallMs, monotonicMs] = [wall(), wall(), monotonic()];
  return () => {
    const [nowWallMs, nowMonotonicMs] = [wall(), monotonic()];
    ownMs += Math.max(0, nowWallMs - wallMs, nowMonotonicMs - monotonicMs);
    [wallMs, monotonicMs] = [nowWallMs, nowMonotonicMs];
    return ownMs;
  };
}
