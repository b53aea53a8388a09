import type { Policy, RuleBody, RuleEdit } from "./api.ts";
import type { Rule } from "./rule.ts";
import { reachesElsewhere } from "./rule-effects.ts";

/** Rules of one ecosystem. They are held in memory and read at each start, so their number is bounded. */
export const MAX_RULES = 2_000;

/** A new version of one rule, or its deletion, to be written. */
export interface PlannedVersion {
  readonly id: string;
  /** `null`: deleted. */
  readonly rule: RuleBody | null;
  readonly built_in: boolean;
  readonly modified: boolean;
}

export type Plan =
  | { readonly ok: true; readonly versions: readonly PlannedVersion[]; readonly unchanged: readonly string[] }
  | { readonly ok: false; readonly conflict: { readonly id: string; readonly version: number } }
  | { readonly ok: false; readonly too_many: number };

/**
 * Plans the versions that the edits need. A rule that equals its edit gets no new version, unless it reaches into other
 * ecosystems, where the rights of its author count.
 *
 * @param author - id of the token that edits
 */
export function planEdits(
  current: ReadonlyMap<string, Policy>,
  edits: readonly RuleEdit[],
  builtIn: ReadonlyMap<string, Rule>,
  author?: string,
): Plan {
  const versions: PlannedVersion[] = [];
  const unchanged: string[] = [];
  let count = current.size;
  for (const { id, rule, expected } of edits) {
    const before = current.get(id);
    const version = before?.version ?? 0;
    if (expected !== undefined && expected !== version) return { ok: false, conflict: { id, version } };
    const original = builtIn.get(id);
    const after = rule ?? (original === undefined ? null : bodyOf(original));
    if (after === null ? before === undefined : before !== undefined && isSame(before, after, author)) {
      unchanged.push(id);
      continue;
    }
    count += (after === null ? 0 : 1) - (before === undefined ? 0 : 1);
    const modified = original !== undefined && after !== null && !sameRule(bodyOf(original), after);
    versions.push({ id, rule: after, built_in: original !== undefined, modified });
  }
  return count > MAX_RULES ? { ok: false, too_many: MAX_RULES } : { ok: true, versions, unchanged };
}

/** Plans the built-in rules of this release that were not changed in this ecosystem. */
export function planBuiltInRules(
  current: ReadonlyMap<string, Policy>,
  builtIn: ReadonlyMap<string, Rule>,
): PlannedVersion[] {
  const unmodified = [...current.values()].filter(({ built_in, modified }) => built_in && !modified);
  const ids = [
    ...[...builtIn.keys()].filter((id) => mayBeBuiltIn(current.get(id))),
    ...unmodified.filter(({ id }) => !builtIn.has(id)).map(({ id }) => id),
  ];
  const plan = planEdits(
    current,
    ids.map((id) => ({ id, rule: null })),
    builtIn,
  );
  return plan.ok ? [...plan.versions] : [];
}

/** A rule that people made, or changed, under an id that is built in stays theirs. */
function mayBeBuiltIn(policy: Policy | undefined): boolean {
  return policy === undefined || (policy.built_in && !policy.modified);
}

/** A rule without its version and its origin. */
export function bodyOf(rule: Rule | Policy): RuleBody {
  const {
    version: _v,
    built_in: _b,
    modified: _m,
    changed_at: _a,
    changed_by: _c,
    changed_by_id: _i,
    quarantined: _q,
    ...body
  } = rule as Policy;
  return body;
}

const isSame = (before: Policy, after: RuleBody, author: string | undefined) =>
  sameRule(bodyOf(before), after) &&
  (author === undefined || before.changed_by_id === author || !reachesElsewhere(after));

export const sameRule = (a: RuleBody, b: RuleBody) => canonical(a) === canonical(b);

/** JSON with sorted fields: the order of the fields makes no difference between rules. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
