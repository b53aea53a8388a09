import { PER_MINUTE, RATES } from "./amounts.ts";
import { grownAtMs, partOf, shareAt } from "./closing.ts";
import { releases, usedAt } from "./minute.ts";
import type { Ask } from "./outcomes.ts";
import type { LimitSettings } from "./settings.ts";
import type { LimitState } from "./state.ts";

interface Wish {
  readonly state: LimitState;
  readonly settings: LimitSettings;
  readonly ask: Ask;
}

/** When the amounts would fit into their minutes, in the limit's own time; `undefined`: that depends on others. */
export function whenItFits({ state, settings, ask }: Wish): number | undefined {
  const { closing, ownMs } = state;
  const rampMs = settings.ramp_seconds * 1_000;
  // What is tried says when more may be: the probe, not the clock.
  if (closing?.phase === "probing") return undefined;
  let atMs = ownMs;
  for (const rate of RATES) {
    const limit = settings[PER_MINUTE[rate]];
    if (limit === undefined) continue;
    const wanted = Math.max(1, ask[rate] ?? 0);
    const fits = (used: number, ms: number) => used + wanted <= partOf(limit, shareAt(closing, ms, rampMs));
    if (fits(usedAt(state[rate], atMs), atMs)) continue;
    let found: number | undefined;
    for (const { atMs: freeMs, left } of releases(state[rate], ownMs)) {
      if (!fits(left, Math.max(freeMs, atMs))) continue;
      found = freeMs;
      break;
    }
    const whole = closing === null ? ownMs : closing.untilMs;
    const needed = (usedAt(state[rate], ownMs) + wanted) / limit;
    const grown = closing === null || needed > 1 ? undefined : grownAtMs(closing.untilMs, rampMs, needed);
    atMs = Math.max(atMs, Math.min(found ?? whole, grown ?? found ?? whole));
  }
  return atMs;
}
