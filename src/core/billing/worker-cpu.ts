/**
 * CPU time of the Worker cannot be measured from inside: its clock stands still while code computes. These are estimates
 * from the embedded edge: a request costs about this long, and its body is parsed and checked at about 50 MB/s.
 */
const REQUEST_MS = 2;
const MS_PER_KILOBYTE = 0.02;
/** A message of the queue is read and handed to the projections. */
export const QUEUE_MESSAGE_MS = 2;

/** @param bodyBytes - of the request */
export function workerCpuMs(bodyBytes: number): number {
  return Math.round(REQUEST_MS + (bodyBytes / 1_000) * MS_PER_KILOBYTE);
}
