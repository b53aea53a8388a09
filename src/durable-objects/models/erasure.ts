import { seqOfDecision } from "../../core/policy/decision-place.ts";
import type { ErasureRules, StoredRow } from "../shell/erasure-rules.ts";

/** The settings stay. Answers stand under the id of the decision that asked. */
export const modelsErasure: ErasureRules = {
  kept: ["kept"],
  rows: { asked: { about: referencesOfAnswer } },
};

function referencesOfAnswer({ id }: StoredRow) {
  const place = /^d(\d+)$/.exec(String(id))?.[1];
  return { seqs: place === undefined ? [] : [seqOfDecision(Number(place))], ids: [] };
}
