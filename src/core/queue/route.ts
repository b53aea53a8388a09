import type { Abilities } from "./needs.ts";

/** Tasks wait in one line for each route: those of a recipient, apart for each set of skills that they need, and of limits. */
export interface Routed {
  readonly recipient: string;
  /** Sorted; absent: none. */
  readonly needs?: readonly string[] | undefined;
  /** Sorted; absent: none. */
  readonly limits?: readonly string[] | undefined;
}

/** Neither recipients nor skills nor limits have a blank in them, and no skill begins with what stands before a limit. */
export const routeOf = ({ recipient, needs, limits }: Routed): string =>
  needs === undefined && limits === undefined
    ? recipient
    : [recipient, ...(needs ?? []), ...(limits ?? []).map((limit) => `!${limit}`)].join(" ");

/** What {@link routeOf} made a route of. */
export function readRoute(route: string): Routed {
  const [recipient = "", ...words] = route.split(" ");
  const needs = words.filter((word) => !word.startsWith("!"));
  const limits = words.filter((word) => word.startsWith("!")).map((word) => word.slice(1));
  return {
    recipient,
    ...(needs.length === 0 ? {} : { needs }),
    ...(limits.length === 0 ? {} : { limits }),
  };
}

export function recipientOf(route: string): string {
  const end = route.indexOf(" ");
  return end === -1 ? route : route.slice(0, end);
}

export const NO_SKILLS: Abilities = new Set<string>();

export const fits = (needs: readonly string[] | undefined, skills: Abilities): boolean =>
  needs?.every((skill) => skills.has(skill)) ?? true;
