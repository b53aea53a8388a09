import type { Scope } from "./expression.ts";

const VALUE_CHARS = 300;

/** A path that a rule reads, such as `facts.host.name`, and its steps: taking it apart for each signal costs too much. */
export interface ReadPath {
  readonly path: string;
  readonly steps: readonly string[];
}

export const readPath = (path: string): ReadPath => ({ path, steps: path.split(".") });

/** The values at some paths, for people to read: long values are cut short, absent ones left out. */
export function readPaths(paths: readonly ReadPath[], scope: Scope): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const { path, steps } of paths) {
    let value: unknown = scope;
    for (const step of steps)
      value =
        typeof value === "object" && value !== null && Object.hasOwn(value, step)
          ? (value as Record<string, unknown>)[step]
          : undefined;
    if (value !== undefined) values[path] = shorten(value);
  }
  return values;
}

function shorten(value: unknown): unknown {
  if (typeof value !== "object" && typeof value !== "string") return value;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length <= VALUE_CHARS ? value : `${text.slice(0, VALUE_CHARS)}…`;
}
