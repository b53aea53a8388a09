import type { ProcessLoad } from "./load-meter.ts";

/** Share of the silence in which the runtime ran or waited for its machine, from which on it counts as doing so. */
const BUSY = 0.3;
/** A runtime that computes may be silent for this many limits: it may be about to answer. */
const BUSY_LIMITS = 1.5;
/** A runtime that gets no processor or disk is not helped by being started again: it may be silent for this many limits. */
const STARVED_LIMITS = 5;

export interface Silence {
  readonly silentMs: number;
  readonly limitMs: number;
  /** What the runtime had since the silence began; `undefined` where the system does not tell. */
  readonly load: ProcessLoad | undefined;
}

/**
 * Why a runtime that has been silent for so long is to be started again; `undefined`: it is not yet. A runtime that ran for a
 * part of the time and waited for a part of it does as much as one that did either all the time.
 */
export function judgeSilence({ silentMs, limitMs, load }: Silence): string | undefined {
  if (silentMs < limitMs) return undefined;
  const { cpuMs, waitedMs, diskMs } = load ?? { cpuMs: 0, waitedMs: 0, diskMs: 0 };
  const much = BUSY * silentMs;
  if (cpuMs + waitedMs + diskMs <= much) return "while it does nothing";
  if (waitedMs + diskMs <= much) return silentMs < BUSY_LIMITS * limitMs ? undefined : "while it computes";
  if (silentMs < STARVED_LIMITS * limitMs) return undefined;
  return `although it waits for a ${diskMs > waitedMs ? "disk" : "processor"}`;
}
