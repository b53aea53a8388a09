import type { ErasureContext, ErasureRules, StoredRow, StoredValue } from "../shell/erasure-rules.ts";

/** An answer that names the source goes: a request that is made again has its effect again, or is recognised by its ids. */
export const answersErasure: ErasureRules = { rows: { answers: { change: withoutAnswer } } };

function withoutAnswer(row: StoredRow, { mentions }: ErasureContext): StoredRow | null {
  const named = (value: StoredValue) => typeof value === "string" && (mentions.isIn(value) || mentions.beginsId(value));
  return Object.values(row).some(named) ? null : row;
}
