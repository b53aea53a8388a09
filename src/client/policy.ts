import type { ExpectationPage, Policy, PolicyChanges, PolicyHistory } from "../core/policy/api.ts";
import type { Call } from "./http/request.ts";

interface Calls {
  readonly call: <Answer>(request: Call) => Promise<Answer>;
  readonly inside: (path: string) => string;
}

/** A rule as people write it; docs/policies.md lists its fields. */
export type RuleDocument = Readonly<Record<string, unknown>>;

export function policyCalls({ call, inside }: Calls) {
  const at = (id: string) => inside(`/policies/${encodeURIComponent(id)}`);
  return {
    list: async () => (await call<{ policies: Policy[] }>({ path: inside("/policies") })).policies,
    /** A rule with its versions; `policy` is null if it was deleted. */
    show: (id: string) => call<PolicyHistory>({ path: at(id) }),
    put: (id: string, rule: RuleDocument) => call<Policy>({ method: "PUT", path: at(id), body: rule }),
    /** Replaces all rules: rules that are not named are deleted, and built-in ones go back to their originals. */
    replace: (policies: readonly RuleDocument[]) =>
      call<PolicyChanges>({ method: "PUT", path: inside("/policies"), body: { policies } }),
    /** Puts these rules in force, or, if one of them is refused, none; rules that are not named stay as they are. */
    change: (policies: readonly RuleDocument[]) =>
      call<PolicyChanges>({ method: "PATCH", path: inside("/policies"), body: { policies } }),
    enable: (id: string, enabled: boolean) => call<Policy>({ method: "PATCH", path: at(id), body: { enabled } }),
    remove: (id: string) => call<PolicyChanges>({ method: "DELETE", path: at(id) }),
    expectations: (query: { limit?: number; after?: string; rule?: string } = {}) =>
      call<ExpectationPage>({ path: inside("/expectations"), query }),
  };
}
