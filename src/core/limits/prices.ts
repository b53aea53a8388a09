import { NO_USE, type Use } from "./amounts.ts";

/** US dollars for a million tokens, as the providers' lists had them in January 2026. */
interface Price {
  /** Beginning of the model's name, in small letters. */
  readonly model: string;
  readonly input: number;
  readonly output: number;
}

/**
 * Prices by which tokens become dollars where nobody says what a request costs. The longest beginning that fits counts. An
 * amount `usd` that a caller gives counts in any case: give it where your contract has other prices.
 */
const PRICES: readonly Price[] = [
  { model: "claude-opus-4", input: 15, output: 75 },
  { model: "claude-opus-4-5", input: 5, output: 25 },
  { model: "claude-sonnet-4", input: 3, output: 15 },
  { model: "claude-haiku-4", input: 1, output: 5 },
  { model: "claude-3-7-sonnet", input: 3, output: 15 },
  { model: "claude-3-5-haiku", input: 0.8, output: 4 },
  { model: "gpt-4.1", input: 2, output: 8 },
  { model: "gpt-4.1-mini", input: 0.4, output: 1.6 },
  { model: "gpt-4.1-nano", input: 0.1, output: 0.4 },
  { model: "gpt-4o", input: 2.5, output: 10 },
  { model: "gpt-4o-mini", input: 0.15, output: 0.6 },
  { model: "gpt-5", input: 1.25, output: 10 },
  { model: "gpt-5-mini", input: 0.25, output: 2 },
  { model: "gpt-5-nano", input: 0.05, output: 0.4 },
  { model: "gemini-2.5-pro", input: 1.25, output: 10 },
  { model: "gemini-2.5-flash", input: 0.3, output: 2.5 },
  { model: "gemini-2.5-flash-lite", input: 0.1, output: 0.4 },
];

/** @param model - as the provider names it, with or without the provider before it (`anthropic/claude-…`) */
export function priceOf(model: string): Price | undefined {
  const name = model.toLowerCase().split("/").at(-1) ?? "";
  let found: Price | undefined;
  for (const price of PRICES)
    if (name.startsWith(price.model) && price.model.length > (found?.model.length ?? 0)) found = price;
  return found;
}

/** What tokens cost, in billionths of a dollar; `undefined`: nobody knows the price of the model. */
export function costOf(model: string | undefined, use: Partial<Use>): number | undefined {
  const price = model === undefined ? undefined : priceOf(model);
  if (price === undefined) return undefined;
  const { input_tokens, output_tokens } = { ...NO_USE, ...use };
  // Dollars for a million are thousands of billionths for one.
  return Math.round((input_tokens * price.input + output_tokens * price.output) * 1_000);
}
