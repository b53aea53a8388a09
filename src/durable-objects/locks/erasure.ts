import type { ErasureRules } from "../shell/erasure-rules.ts";

/** The last fence is a number. A lock whose owner or purpose has the name is held on under what takes its place. */
export const locksErasure: ErasureRules = { kept: ["fences"] };
