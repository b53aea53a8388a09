import type { ErasureRules } from "../shell/erasure-rules.ts";

/** Limits are what people have set. Reservations name agents and tasks for an hour at most. */
export const limitsErasure: ErasureRules = { kept: ["limits"] };
