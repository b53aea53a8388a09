/**
 * Urgency of a finding, 0 to 1: `0.5 + severity / 2` at full evidence, less while there are few
 * samples. Evidence counts as full at twenty samples: `samples / (samples + 5)`, scaled so that 20 give 1.
 *
 * @param severity - 0 at the threshold, 1 as bad as it can be
 */
export function alignmentScore(severity: number, samples: number): number {
  const evidence = Math.min(1, (samples / (samples + 5)) * 1.25);
  return Math.round((0.5 + severity / 2) * evidence * 100) / 100;
}
