import type { ErasureRules } from "../shell/erasure-rules.ts";

/** A note whose key has the name goes; of the others the name is taken out, as of any text. */
export const notesErasure: ErasureRules = {};
