import { formatTimestamp } from "../signals/timestamp.ts";
import { RATES, usdOf } from "./amounts.ts";
import type { Limit, LimitFinding, ReserveAnswer } from "./api.ts";
import { dayAt } from "./days.ts";
import { usedAt } from "./minute.ts";
import type { Closed, Refused, Why } from "./outcomes.ts";
import type { LimitSettings } from "./settings.ts";
import type { LimitState, Reservation } from "./state.ts";

/**
 * @param closed - as the machine says after the time was let pass
 * @param shares - that are held
 */
export function limitView(
  name: string,
  settings: LimitSettings,
  state: LimitState,
  closed: Closed | undefined,
  shares: readonly Reservation[],
): Limit {
  const today = state.days.find(({ day }) => day === dayAt(state.clockMs, settings.zone));
  const [requests = 0, input_tokens = 0, output_tokens = 0] = RATES.map((rate) => usedAt(state[rate], state.ownMs));
  return {
    name,
    ...settings,
    state: closed === undefined ? (state.closing?.phase ?? "open") : "closed",
    closed_until: closed === undefined ? null : formatTimestamp(closed.untilMs),
    reason: closed?.reason ?? null,
    used: { requests, input_tokens, output_tokens },
    held: state.held,
    shares: sharesByHost(shares),
    spent_usd: usdOf(today?.spent ?? 0),
    held_usd: usdOf(today?.held ?? 0),
    created_at: formatTimestamp(state.createdMs),
    changed_at: formatTimestamp(state.changedMs),
  };
}

function sharesByHost(shares: readonly Reservation[]): Limit["shares"] {
  const sums = new Map<string | null, Limit["shares"][number]>();
  for (const { host = null, calls = 1, use } of shares) {
    const sum = sums.get(host) ?? { host, shares: 0, calls: 0, requests: 0, usd: 0 };
    sums.set(host, {
      host,
      shares: sum.shares + 1,
      calls: sum.calls + calls,
      requests: sum.requests + use.requests,
      usd: usdOf(Math.round(sum.usd * 1e9) + use.nanos),
    });
  }
  return [...sums.values()].sort((a, b) => ((a.host ?? "") < (b.host ?? "") ? -1 : 1));
}

const DETAILS: Readonly<Record<Why, string>> = {
  closed: "the limit is closed",
  probing: "the limit was closed, and one request at a time may try whether it is open again",
  concurrency: "as many reservations are held as may be at a time",
  requests_per_minute: "the requests of this minute are given out",
  input_tokens_per_minute: "the input tokens of this minute are given out",
  output_tokens_per_minute: "the output tokens of this minute are given out",
  usd_per_day: "the dollars of the day are spent or reserved",
  budget: "a budget has too little left",
  too_large: "it is more than the whole limit: ask for less, or raise the limit",
};

export function refusedAnswer({ why, reason, untilMs, budget, isFinal }: Refused): ReserveAnswer {
  return {
    granted: false,
    why,
    detail: reason === undefined ? DETAILS[why] : `${DETAILS[why]}: ${reason}`,
    ...(budget === undefined ? {} : { budget }),
    ...(isFinal === true ? { final: true } : {}),
    ...(untilMs === undefined ? {} : { closed_until: formatTimestamp(untilMs) }),
  };
}

export function limitFinding(
  limit: string,
  { untilMs, sinceMs, reason, signal }: Closed & { readonly sinceMs: number; readonly signal: string | null },
): LimitFinding {
  return { limit, until: formatTimestamp(untilMs), since: formatTimestamp(sinceMs), reason, signal };
}
