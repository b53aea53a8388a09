import { type AttentionItem, SEVERITIES, SHOWN_EFFECTS } from "./api.ts";
import type { Finding } from "./finding.ts";
import { byUrgency } from "./order.ts";

/**
 * Puts findings of one cause together: a row for each finding that no other explains, with all that it explains, directly
 * or through others. Each finding is a row or an effect of exactly one row.
 *
 * @param findings - with unique ids; of two with the same id the first counts
 * @returns the rows, most urgent first
 */
export function groupByCause(findings: readonly Finding[], ecosystem: string): AttentionItem[] {
  const byId = new Map<string, Finding>();
  for (const finding of findings) if (!byId.has(finding.id)) byId.set(finding.id, finding);
  const roots = rootsOf(byId);
  const effects = new Map<string, Finding[]>();
  for (const finding of byId.values()) {
    const root = roots.get(finding.id) ?? finding.id;
    const row = effects.get(root) ?? [];
    effects.set(root, row);
    if (root !== finding.id) row.push(finding);
  }
  return [...effects]
    .flatMap(([root, follow]) => {
      const cause = byId.get(root);
      return cause === undefined ? [] : [itemOf(cause, follow.sort(byUrgency), ecosystem)];
    })
    .sort(byUrgency);
}

/** The finding to which each goes back. Where findings explain each other in a circle, the first by id is their cause. */
function rootsOf(byId: ReadonlyMap<string, Finding>): ReadonlyMap<string, string> {
  const roots = new Map<string, string>();
  for (const start of byId.keys()) {
    const path: string[] = [];
    const places = new Map<string, number>();
    let at = start;
    let root = roots.get(at);
    while (root === undefined) {
      const place = places.get(at);
      if (place !== undefined) {
        root = path.slice(place).sort()[0] ?? at;
        break;
      }
      places.set(at, path.length);
      path.push(at);
      const above = explanationOf(at, byId);
      if (above === undefined) root = at;
      else {
        at = above;
        root = roots.get(at);
      }
    }
    for (const id of path) roots.set(id, root);
  }
  return roots;
}

function explanationOf(id: string, byId: ReadonlyMap<string, Finding>): string | undefined {
  return byId.get(id)?.explainedBy.find((other) => other !== id && byId.has(other));
}

function itemOf({ explainedBy: _, ...cause }: Finding, follow: readonly Finding[], ecosystem: string): AttentionItem {
  // A cause is as urgent as the worst that follows from it.
  const worst = Math.min(...[cause, ...follow.slice(0, 1)].map(({ severity }) => SEVERITIES.indexOf(severity)));
  return {
    ...cause,
    cause: cause.id,
    ecosystem,
    severity: SEVERITIES[worst] ?? cause.severity,
    effects: follow.slice(0, SHOWN_EFFECTS).map(({ what }) => what),
    effects_total: follow.length,
  };
}
