/** Longest time that the stop of a part may take where it names no other, in milliseconds. */
export const STOP_MS = 12_000;

/**
 * Waits for something to stop, and not longer than it may take: one part that hangs must not keep those after it from
 * handing over what they hold.
 *
 * @returns `false` where it had not stopped by then; it goes on by itself, and what it says later is not heard
 * @throws what the stop throws in time
 */
export async function stoppedWithin(limitMs: number, stopping: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  stopping.catch(() => undefined);
  return Promise.race([stopping.then(() => true), late]).finally(() => clearTimeout(timer));
}
