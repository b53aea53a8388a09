/** What is granted is counted by the second in which it was. */
const SECOND_MS = 1_000;
const MINUTE_SECONDS = 60;

/** The second, and what was granted in it; oldest first. */
export type Seconds = [second: number, amount: number][];

/**
 * What was granted in the last minute. A bucket that refills while it empties gives out twice its size within a minute, which
 * a provider that counts minutes refuses. Here no minute has more than the limit, wherever it begins: a second counts until
 * the whole of it is a minute ago.
 */
export function usedAt(seconds: Seconds, nowMs: number): number {
  const first = firstSecond(nowMs);
  let sum = 0;
  for (const [second, amount] of seconds) if (second >= first) sum += amount;
  return sum;
}

/** Drops what is over, and adds to the present second. */
export function addAt(seconds: Seconds, nowMs: number, amount: number): void {
  const first = firstSecond(nowMs);
  while ((seconds[0]?.[0] ?? first) < first) seconds.shift();
  if (amount === 0) return;
  const now = Math.floor(nowMs / SECOND_MS);
  const last = seconds.at(-1);
  if (last?.[0] === now) last[1] += amount;
  else seconds.push([now, amount]);
}

/** Gives back what was granted at `grantedMs`, where that still counts. */
export function giveBack(seconds: Seconds, grantedMs: number, amount: number): void {
  const second = Math.floor(grantedMs / SECOND_MS);
  const found = seconds.find(([at]) => at === second);
  if (found !== undefined) found[1] = Math.max(0, found[1] - amount);
}

/** When each second stops counting, in order, with what counts after it. */
export function* releases(seconds: Seconds, nowMs: number): Generator<{ atMs: number; left: number }> {
  let left = usedAt(seconds, nowMs);
  const first = firstSecond(nowMs);
  for (const [second, amount] of seconds) {
    if (second < first) continue;
    left -= amount;
    yield { atMs: (second + MINUTE_SECONDS + 1) * SECOND_MS, left };
  }
}

const firstSecond = (nowMs: number) => Math.floor(nowMs / SECOND_MS) - MINUTE_SECONDS;
