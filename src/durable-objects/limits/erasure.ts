import type { ErasureRules } from "../shell/erasure-rules.ts";

/**
 * Limits and budgets are what people have set. Reservations name agents and tasks for an hour at most; a counter of a budget
 * that has the name goes.
 */
export const limitsErasure: ErasureRules = { kept: ["limits", "budgets"] };
