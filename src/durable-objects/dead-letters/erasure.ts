import { referencesOfLetter, storedJson } from "../../core/erasure/references.ts";
import type { ErasureRules } from "../shell/erasure-rules.ts";

export const deadLettersErasure: ErasureRules = {
  rows: { letters: { about: ({ id, body }) => referencesOfLetter(id, storedJson(body)), whole: true } },
};
