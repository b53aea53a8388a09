/** Longest stop of a service without a limit of its own, in milliseconds. */
export const STOP_MS = 12_000;

/**
 * Waits for a stop, up to a limit: a service that hangs must not keep the next ones from storing and sending their data.
 *
 * @returns `false` when the limit was exceeded; a later failure of the stop is ignored
 * @throws the failure of the stop within the limit
 */
export async function stoppedWithin(limitMs: number, stopping: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  stopping.catch(() => undefined);
  return Promise.race([stopping.then(() => true), late]).finally(() => clearTimeout(timer));
}
