import type { EditAnswer } from "../../../core/policy/api.ts";
import { problem } from "../../../core/problem/problem.ts";
import { Refusal } from "../http/refusal.ts";

/** @throws Refusal where the rules' object refused the edits */
export function accepted(answer: EditAnswer) {
  if (answer.ok) {
    const { ok: _, ...changes } = answer;
    return changes;
  }
  if ("too_many" in answer) {
    const detail = `An ecosystem may have ${answer.too_many} rules. Delete some first.`;
    throw new Refusal(problem("too-many-rules", 409, "Too many rules", detail));
  }
  const { id, version } = answer.conflict;
  const detail =
    version === 0
      ? `The rule "${id}" does not exist. Leave version out, or give 0.`
      : `Version ${version} of "${id}" is in force. Read the rule again, and repeat the change.`;
  throw new Refusal(problem("version-conflict", 409, "Another version is in force", detail, { policy: id, version }));
}
