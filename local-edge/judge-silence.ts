import type { ProcessLoad } from "./process-load.ts";

/** Share of the silence in which the runtime ran or waited for a processor, from which on it counts as doing so. */
const BUSY = 0.3;
/** A runtime that computes may be silent for this many limits: it may be about to answer. */
const BUSY_LIMITS = 1.5;
/** A runtime that gets no processor is not helped by being started again: it may be silent for this many limits. */
const STARVED_LIMITS = 5;

export interface Silence {
  readonly silentMs: number;
  readonly limitMs: number;
  /** Load of the runtime when the silence began and now; `undefined` where the system does not tell. */
  readonly before: ProcessLoad | undefined;
  readonly now: ProcessLoad | undefined;
}

/** Why a runtime that has been silent for so long is to be started again; `undefined`: it is not yet. */
export function judgeSilence({ silentMs, limitMs, before, now }: Silence): string | undefined {
  if (silentMs < limitMs) return undefined;
  const cpuMs = before === undefined || now === undefined ? 0 : now.cpuMs - before.cpuMs;
  const waitedMs = before === undefined || now === undefined ? 0 : now.waitedMs - before.waitedMs;
  if (waitedMs > BUSY * silentMs)
    return silentMs < STARVED_LIMITS * limitMs ? undefined : "although it waits for a processor";
  if (cpuMs > BUSY * silentMs) return silentMs < BUSY_LIMITS * limitMs ? undefined : "while it computes";
  return "while it does nothing";
}
