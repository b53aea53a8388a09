import { type Amounts, NO_USE, nanosOf, type Use, useOf } from "./amounts.ts";
import type { CloseRequest, ReserveRequest, SettleRequest } from "./api.ts";
import type { Ask, Subject } from "./outcomes.ts";
import { costOf } from "./prices.ts";

/** Answers by which a provider says that it takes no more for now: too many requests, and overloaded. */
const REFUSALS: ReadonlySet<number> = new Set([429, 529]);

/** What a reservation asks for: one request, where it says nothing else. */
export function askOf({ amounts, model }: Pick<ReserveRequest, "amounts" | "model">): Ask {
  const { usd, requests = 1, input_tokens, output_tokens } = amounts;
  const tokens = {
    ...(input_tokens === undefined ? {} : { input_tokens }),
    ...(output_tokens === undefined ? {} : { output_tokens }),
  };
  const nanos = usd === undefined ? costOf(model, tokens) : nanosOf(usd);
  return { requests, ...tokens, ...(nanos === undefined ? {} : { nanos }) };
}

export function subjectOf({ agent, task, chain, model }: Partial<Record<keyof Subject, string | undefined>>): Subject {
  return {
    ...(agent === undefined ? {} : { agent }),
    ...(task === undefined ? {} : { task }),
    ...(chain === undefined ? {} : { chain }),
    ...(model === undefined ? {} : { model }),
  };
}

export const isRefusal = ({ outcome }: Pick<SettleRequest, "outcome">): boolean =>
  outcome !== undefined && REFUSALS.has(outcome.status);

/**
 * What was used of a reservation. What is not named was used as it was reserved; of a request that the provider refused, no
 * tokens and no money.
 */
export function usedOf(
  settle: Pick<SettleRequest, "amounts" | "outcome" | "model">,
  reserved: Use,
  model?: string,
): Use {
  const amounts: Amounts = settle.amounts ?? {};
  const otherwise = isRefusal(settle) ? { ...NO_USE, requests: reserved.requests } : reserved;
  const use = useOf(amounts, otherwise);
  const namesTokens = amounts.input_tokens !== undefined || amounts.output_tokens !== undefined;
  if (amounts.usd !== undefined || !namesTokens) return use;
  return { ...use, nanos: costOf(settle.model ?? model, use) ?? use.nanos };
}

/** For how long a refusal closes, from now on; `undefined`: it does not say. */
export function lengthMs(
  { until, retry_after_seconds }: Pick<CloseRequest, "until" | "retry_after_seconds">,
  nowMs: number,
): number | undefined {
  if (until !== undefined) return Math.max(0, until - nowMs);
  return retry_after_seconds === undefined ? undefined : Math.ceil(retry_after_seconds * 1_000);
}
