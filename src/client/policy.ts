import { ExpectationPage, Policies, Policy, PolicyChanges, PolicyHistory, PolicyPut } from "../core/policy/api.ts";
import { DecisionsPage } from "../core/policy/decision.ts";
import { Simulated } from "../core/policy/simulated.ts";
import { StateImported, type StateMarks } from "../core/policy/state-import.ts";
import type { CallEdge } from "./http/request.ts";

interface Calls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

export interface DecisionQuery {
  readonly limit?: number;
  readonly after?: string;
  readonly rule?: string;
  readonly outcome?: string;
  /** Id of a signal. */
  readonly signal?: string;
  /** RFC 3339 or seconds since the epoch. */
  readonly since?: string | number;
  readonly until?: string | number;
}

export interface SimulationRequest {
  /** RFC 3339 or seconds since the epoch. */
  readonly since: string | number;
  readonly until?: string | number;
  /** Absent: the rule in force. */
  readonly rule?: RuleDocument;
}

/** Time limit of a simulation in milliseconds: it reads many pages of the log. */
const SIMULATION_MS = 120_000;

/** A rule as people write it; docs/policies.md lists its fields. */
export type RuleDocument = Readonly<Record<string, unknown>>;

export function policyCalls({ call, inside }: Calls) {
  const at = (id: string) => inside(`/policies/${encodeURIComponent(id)}`);
  return {
    list: async () => (await call(Policies, { path: inside("/policies") })).policies,
    /** A rule with its versions; `policy` is null if it was deleted. */
    show: (id: string) => call(PolicyHistory, { path: at(id) }),
    put: (id: string, rule: RuleDocument) => call(PolicyPut, { method: "PUT", path: at(id), body: rule }),
    /** Replaces all rules: rules that are not named are deleted, and built-in ones go back to their originals. */
    replace: (policies: readonly RuleDocument[]) =>
      call(PolicyChanges, { method: "PUT", path: inside("/policies"), body: { policies } }),
    /** Puts these rules in force, or, if one of them is refused, none; rules that are not named stay as they are. */
    change: (policies: readonly RuleDocument[]) =>
      call(PolicyChanges, { method: "PATCH", path: inside("/policies"), body: { policies } }),
    enable: (id: string, enabled: boolean) => call(Policy, { method: "PATCH", path: at(id), body: { enabled } }),
    /** What the rule would have decided on stored signals. Writes nothing. */
    simulate: (id: string, request: SimulationRequest) =>
      call(Simulated, { method: "POST", path: `${at(id)}/simulate`, body: request, timeoutMs: SIMULATION_MS }),
    remove: (id: string) => call(PolicyChanges, { method: "DELETE", path: at(id) }),
    /** Marks of an older system that hold the rule back; {@link MAX_MARKS} at most. */
    importState: (id: string, marks: StateMarks) =>
      call(StateImported, { method: "POST", path: `${at(id)}/state`, body: marks }),
    expectations: (query: { limit?: number; after?: string; rule?: string } = {}) =>
      call(ExpectationPage, { path: inside("/expectations"), query }),
  };
}

export function decisionCalls({ call, inside }: Calls) {
  return {
    decisions: (query: DecisionQuery = {}) => call(DecisionsPage, { path: inside("/decisions"), query: { ...query } }),
  };
}
