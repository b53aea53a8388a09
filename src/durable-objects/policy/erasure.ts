import { fields, referencesTo, storedJson } from "../../core/erasure/references.ts";
import { seqOfDecision } from "../../core/policy/decision-place.ts";
import type { ErasureContext, ErasureRules, StoredRow } from "../shell/erasure-rules.ts";

const placeOf = (seq: unknown) => ({ seqs: typeof seq === "number" ? [seq] : [], ids: [] });

/** What is erased of the rules' memory. The rules themselves are what people wrote, and stay. */
export const policyErasure: ErasureRules = {
  kept: ["rules", "rule_versions"],
  rows: {
    decided: { about: ({ place }) => placeOf(typeof place === "number" ? seqOfDecision(place) : undefined) },
    rule_state: { about: referencesOfState, change: withoutState },
    redone: { about: ({ seq }) => placeOf(seq) },
    late: { about: ({ origin }) => referencesTo(origin) },
    questions: { about: ({ body }) => placeOf(fields(fields(storedJson(body)).origin).seq) },
  },
};

/** Kind and rule are no texts of a source. */
function withoutState(row: StoredRow, { mentions }: ErasureContext): StoredRow | null {
  const texts = [String(row.key), String(row.body)];
  return texts.some((text) => mentions.withoutText(text) !== text) ? null : row;
}

function referencesOfState({ body }: StoredRow) {
  const { startedBy, by, since, id, seq } = fields(storedJson(body));
  const { seqs, ids } = referencesTo(startedBy, by, id, fields(since).id);
  return { seqs: typeof seq === "number" ? [...seqs, seq] : seqs, ids };
}
