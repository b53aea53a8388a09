import type { Use } from "./amounts.ts";

const combined = (one: Use, other: Use, by: (a: number, b: number) => number): Use => ({
  requests: by(one.requests, other.requests),
  input_tokens: by(one.input_tokens, other.input_tokens),
  output_tokens: by(one.output_tokens, other.output_tokens),
  nanos: by(one.nanos, other.nanos),
});

export const sumOf = (one: Use, other: Use): Use => combined(one, other, (a, b) => a + b);
export const leastOf = (one: Use, other: Use): Use => combined(one, other, Math.min);
export const mostOf = (one: Use, other: Use): Use => combined(one, other, Math.max);
/** What the one has more than the other; of no kind less than nothing. */
export const lessOf = (one: Use, other: Use): Use => combined(one, other, (a, b) => Math.max(0, a - b));
/** In whole numbers, rounded up. */
export const timesOf = (use: Use, factor: number): Use => combined(use, use, (amount) => Math.ceil(amount * factor));
export const isNothing = (use: Use): boolean => Object.values(use).every((amount) => amount === 0);
