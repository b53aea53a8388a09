import * as z from "zod";

/** What is counted within a minute. */
export const RATES = ["requests", "input_tokens", "output_tokens"] as const;
export type Rate = (typeof RATES)[number];

/** The setting of a limit for each of them. */
export const PER_MINUTE = {
  requests: "requests_per_minute",
  input_tokens: "input_tokens_per_minute",
  output_tokens: "output_tokens_per_minute",
} as const satisfies Record<Rate, string>;

const MOST = 1_000_000_000;
const NANOS = 1e9;

const Count = z.int().min(0).max(MOST);

/** What a call to a provider uses, before it is known or after. */
export const Amounts = z.strictObject({
  requests: Count.optional().meta({ description: "Requests; 1 where nothing is said" }),
  input_tokens: Count.optional().meta({ description: "Tokens that are sent" }),
  output_tokens: Count.optional().meta({ description: "Tokens that come back, the most that may come" }),
  usd: z.number().min(0).max(1_000_000).optional().meta({
    description: "US dollars; where it is left out and the model is named, by the prices of the model",
  }),
});
export type Amounts = z.infer<typeof Amounts>;

/** Amounts in whole numbers: money in billionths of a dollar, so that sums are exact. */
export interface Use {
  readonly requests: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly nanos: number;
}

export const NO_USE: Use = { requests: 0, input_tokens: 0, output_tokens: 0, nanos: 0 };

export const nanosOf = (usd: number): number => Math.round(usd * NANOS);
export const usdOf = (nanos: number): number => nanos / NANOS;

/** @param otherwise - what stands for amounts that are not named */
export function useOf(amounts: Amounts, otherwise: Use): Use {
  return {
    requests: amounts.requests ?? otherwise.requests,
    input_tokens: amounts.input_tokens ?? otherwise.input_tokens,
    output_tokens: amounts.output_tokens ?? otherwise.output_tokens,
    nanos: amounts.usd === undefined ? otherwise.nanos : nanosOf(amounts.usd),
  };
}
