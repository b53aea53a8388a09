import type { RuleEdit } from "../../../core/policy/api.ts";
import { requiredEndpoints } from "../../../core/policy/optional-endpoints.ts";
import { bodyOf, sameRule } from "../../../core/policy/plan-edits.ts";
import type { FieldError } from "../../../core/problem/field-error.ts";
import { nearest } from "../../../core/problem/nearest.ts";
import type { Environment } from "../../bindings/environment.ts";
import { policyState, webhooks } from "../../bindings/objects.ts";
import { invalid } from "../http/refusal.ts";

/**
 * Refuses rules whose messages would reach nobody, because there is no endpoint of the name. A rule that is put as it is in
 * force passes: nothing of it is saved, and its endpoint may have been deleted since.
 *
 * @param at - JSON pointer of each rule in the request
 * @throws Refusal
 */
export async function mustKnowEndpoints(
  env: Environment,
  ecosystem: string,
  edits: readonly RuleEdit[],
  at: (place: number) => string = () => "",
): Promise<void> {
  const named = edits.flatMap(({ rule }, place) =>
    rule === null ? [] : requiredEndpoints(rule).map(([pointer, endpoint]) => ({ place, rule, pointer, endpoint })),
  );
  if (named.length === 0) return;
  const known = (await webhooks(env, ecosystem).list()).map(({ id }) => id);
  const unknown = named.filter(({ endpoint }) => !known.includes(endpoint));
  if (unknown.length === 0) return;
  const inForce = new Map((await policyState(env, ecosystem).policies()).map((policy) => [policy.id, policy]));
  const errors = unknown.flatMap(({ place, rule, pointer, endpoint }): FieldError[] => {
    const policy = inForce.get(rule.id);
    if (policy !== undefined && sameRule(bodyOf(policy), rule)) return [];
    return [{ pointer: `${at(place)}${pointer}`, message: unknownEndpoint(endpoint, known) }];
  });
  if (errors.length > 0) throw invalid("invalid-policy", "Invalid rule", errors);
}

function unknownEndpoint(endpoint: string, known: readonly string[]): string {
  const near = nearest(endpoint, known);
  const meant = near === undefined ? "" : `; did you mean "${near}"?`;
  return (
    `no webhook endpoint "${endpoint}"${meant}${meant === "" ? ";" : ""} add it first (ganglion webhooks add ${endpoint} <url>), ` +
    "or say `optional: true` where nobody need hear of it"
  );
}
