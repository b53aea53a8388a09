/** Names one life of a producer's numbers: numbers that begin anew, after storage was lost, are no repetitions. */
export function newEpoch(): string {
  return crypto.randomUUID().slice(0, 6);
}
