import type { ExpectationPage, Policy, PolicyVersion } from "../core/policy/api.ts";
import type { Call } from "./http/request.ts";

interface Calls {
  readonly call: <Answer>(what: Call) => Promise<Answer>;
  readonly inside: (path: string) => string;
}

/** What changing several rules came to: their ids. */
export interface PolicyChanges {
  readonly created: readonly string[];
  readonly changed: readonly string[];
  readonly unchanged: readonly string[];
  readonly deleted: readonly string[];
  /** The rules decide on the signals after this place of the log. */
  readonly after_seq: number;
}

/** A rule as people write it, see docs/policies.md. */
export type RuleDocument = Readonly<Record<string, unknown>>;

export function policyCalls({ call, inside }: Calls) {
  const at = (id: string) => inside(`/policies/${encodeURIComponent(id)}`);
  return {
    list: async () => (await call<{ policies: Policy[] }>({ path: inside("/policies") })).policies,
    /** With the versions it has had; `policy` is null where it was deleted. */
    show: (id: string) => call<{ policy: Policy | null; versions: PolicyVersion[] }>({ path: at(id) }),
    put: (id: string, rule: RuleDocument) => call<Policy>({ method: "PUT", path: at(id), body: rule }),
    /** Makes the rules be these: those that are not named go, and those of the pack are as they came. */
    replace: (policies: readonly RuleDocument[]) =>
      call<PolicyChanges>({ method: "PUT", path: inside("/policies"), body: { policies } }),
    /** Puts these in force, all of them or, where one is refused, none; rules that are not named stay as they are. */
    change: (policies: readonly RuleDocument[]) =>
      call<PolicyChanges>({ method: "PATCH", path: inside("/policies"), body: { policies } }),
    enable: (id: string, enabled: boolean) => call<Policy>({ method: "PATCH", path: at(id), body: { enabled } }),
    remove: (id: string) => call<PolicyChanges>({ method: "DELETE", path: at(id) }),
    expectations: (query: { limit?: number; after?: string; rule?: string } = {}) =>
      call<ExpectationPage>({ path: inside("/expectations"), query }),
  };
}
