import type { Policy, RuleBody, RuleChange } from "./api.ts";
import type { Rule } from "./rule.ts";

/** Rules of one ecosystem. What is kept of them in memory, and read when it wakes, stays small. */
export const MAX_RULES = 2_000;

/** One rule that will be another, or none. */
export interface PlannedChange {
  readonly id: string;
  /** `null`: it will be gone. */
  readonly rule: RuleBody | null;
  readonly built_in: boolean;
  readonly modified: boolean;
}

export type Plan =
  | { readonly ok: true; readonly changes: readonly PlannedChange[]; readonly unchanged: readonly string[] }
  | { readonly ok: false; readonly conflict: { readonly id: string; readonly version: number } }
  | { readonly ok: false; readonly too_many: number };

/** What has to be written so that the rules are as wanted. What is so already is left alone. */
export function planChanges(
  current: ReadonlyMap<string, Policy>,
  wanted: readonly RuleChange[],
  pack: ReadonlyMap<string, Rule>,
): Plan {
  const changes: PlannedChange[] = [];
  const unchanged: string[] = [];
  let count = current.size;
  for (const { id, rule, expected } of wanted) {
    const before = current.get(id);
    const version = before?.version ?? 0;
    if (expected !== undefined && expected !== version) return { ok: false, conflict: { id, version } };
    const own = pack.get(id);
    const after = rule ?? (own === undefined ? null : bodyOf(own));
    if (after === null ? before === undefined : before !== undefined && sameRule(bodyOf(before), after)) {
      unchanged.push(id);
      continue;
    }
    count += (after === null ? 0 : 1) - (before === undefined ? 0 : 1);
    const modified = own !== undefined && after !== null && !sameRule(bodyOf(own), after);
    changes.push({ id, rule: after, built_in: own !== undefined, modified });
  }
  return count > MAX_RULES ? { ok: false, too_many: MAX_RULES } : { ok: true, changes, unchanged };
}

/** The rules of the pack as this release has them, where nobody has changed them here. */
export function planPack(current: ReadonlyMap<string, Policy>, pack: ReadonlyMap<string, Rule>): PlannedChange[] {
  const stale = [...current.values()].filter(({ built_in, modified }) => built_in && !modified);
  const wanted = [
    ...[...pack.keys()].filter((id) => current.get(id)?.modified !== true && isNotOwn(current.get(id))),
    ...stale.filter(({ id }) => !pack.has(id)).map(({ id }) => id),
  ];
  const plan = planChanges(
    current,
    wanted.map((id) => ({ id, rule: null })),
    pack,
  );
  return plan.ok ? [...plan.changes] : [];
}

/** A rule that somebody made under a name which the pack has taken since stays theirs. */
const isNotOwn = (policy: Policy | undefined) => policy === undefined || policy.built_in;

/** What a rule says, without which version of it this is and where it comes from. */
export function bodyOf(rule: Rule | Policy): RuleBody {
  const { version: _, built_in: __, modified: ___, changed_at: ____, changed_by: _____, ...body } = rule as Policy;
  return body;
}

const sameRule = (a: RuleBody, b: RuleBody) => canonical(a) === canonical(b);

/** Fields in any order are one rule. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
