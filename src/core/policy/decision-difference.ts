import type { DecisionDifference, SimulatedDecision } from "./simulated.ts";

/** @returns the differences in the order of time; the wording of a reason and the version of a rule do not count */
export function differencesOf(
  before: readonly SimulatedDecision[],
  after: readonly SimulatedDecision[],
): DecisionDifference[] {
  const left = new Map(before.map((decision) => [keyOf(decision), decision]));
  const right = new Map(after.map((decision) => [keyOf(decision), decision]));
  const differences: DecisionDifference[] = [];
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const [was, is] = [left.get(key), right.get(key)];
    const one = is ?? was;
    if (one === undefined || (was !== undefined && is !== undefined && sameOutcome(was, is))) continue;
    differences.push({
      rule: one.rule,
      signal: one.signal,
      at: one.at,
      ...(was === undefined ? {} : { before: was }),
      ...(is === undefined ? {} : { after: is }),
    });
  }
  return differences.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

function keyOf({ rule, signal, by, at }: SimulatedDecision): string {
  return `${rule} ${signal.id} ${by} ${by === "time" ? at : ""}`;
}

function sameOutcome(a: SimulatedDecision, b: SimulatedDecision): boolean {
  return a.outcome === b.outcome && JSON.stringify(a.effects) === JSON.stringify(b.effects);
}
