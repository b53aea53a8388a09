import { allReferences, fields, referencesOfId, referencesTo, storedJson } from "../../core/erasure/references.ts";
import type { ErasureRules } from "../shell/erasure-rules.ts";

/** Tasks that the source's signals led to go, those that nobody has taken yet, too. */
export const queueErasure: ErasureRules = {
  rows: {
    tasks: { about: ({ terms }) => referencesOfTerms(storedJson(terms)), derived: "place" },
    proofs: { about: ({ task_id, cause }) => allReferences(referencesOfId(task_id), referencesTo(cause)) },
    "finished_*": { about: ({ record }) => referencesOfTerms(itemOf(storedJson(record), 0)) },
  },
};

/** Terms are a list, whose first item is the task's id, and whose eleventh is its cause; see stored-task.ts. */
function referencesOfTerms(terms: unknown) {
  return allReferences(referencesOfId(itemOf(terms, 0)), referencesTo(fields(itemOf(terms, 10)).id));
}

function itemOf(list: unknown, place: number): unknown {
  return Array.isArray(list) ? (list[place] as unknown) : undefined;
}
