import type { Scope } from "./expression.ts";

const VALUE_CHARS = 300;

/** The values at some paths, for people to read: long values are cut short, absent ones left out. */
export function readPaths(paths: readonly string[], scope: Scope): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const path of paths) {
    const value = path
      .split(".")
      .reduce<unknown>(
        (at, step) =>
          typeof at === "object" && at !== null && Object.hasOwn(at, step)
            ? (at as Record<string, unknown>)[step]
            : undefined,
        scope,
      );
    if (value !== undefined) values[path] = shorten(value);
  }
  return values;
}

function shorten(value: unknown): unknown {
  if (typeof value !== "object" && typeof value !== "string") return value;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length <= VALUE_CHARS ? value : `${text.slice(0, VALUE_CHARS)}…`;
}
