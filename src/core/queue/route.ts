import type { Abilities } from "./needs.ts";

/** Tasks wait in one line for each route: those of a recipient, apart for each set of skills that they need. */
export interface Routed {
  readonly recipient: string;
  /** Sorted; absent: none. */
  readonly needs?: readonly string[] | undefined;
}

/** Neither recipients nor skills have a blank in them. */
export const routeOf = ({ recipient, needs }: Routed): string =>
  needs === undefined || needs.length === 0 ? recipient : `${recipient} ${needs.join(" ")}`;

export const recipientOf = (route: string): string => route.split(" ", 1)[0] ?? route;

export const NO_SKILLS: Abilities = new Set<string>();

export const fits = (needs: readonly string[] | undefined, skills: Abilities): boolean =>
  needs?.every((skill) => skills.has(skill)) ?? true;
