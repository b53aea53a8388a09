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
export const routeOf = ({ recipient, needs = [], limits = [] }: Routed): string =>
  [recipient, ...needs, ...limits.map((limit) => `!${limit}`)].join(" ");

export const recipientOf = (route: string): string => route.split(" ", 1)[0] ?? route;

export const NO_SKILLS: Abilities = new Set<string>();

export const fits = (needs: readonly string[] | undefined, skills: Abilities): boolean =>
  needs?.every((skill) => skills.has(skill)) ?? true;
