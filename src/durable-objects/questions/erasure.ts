import { referencesTo } from "../../core/erasure/references.ts";
import type { ErasureRules } from "../shell/erasure-rules.ts";

/** Questions that the source's signals led to go, and tasks that wait for them come back by their own time. */
export const questionsErasure: ErasureRules = {
  kept: ["link_secret"],
  rows: { questions: { about: ({ cause }) => referencesTo(cause) } },
};
