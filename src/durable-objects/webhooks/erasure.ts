import { allReferences, referencesOfId, referencesTo } from "../../core/erasure/references.ts";
import type { ErasureRules } from "../shell/erasure-rules.ts";

/** Messages that the source's signals led to are not sent any more, and those that were sent are forgotten. */
export const webhooksErasure: ErasureRules = {
  kept: ["endpoints", "inbox_sources"],
  rows: { deliveries: { about: ({ id, cause }) => allReferences(referencesOfId(id), referencesTo(cause)) } },
};
