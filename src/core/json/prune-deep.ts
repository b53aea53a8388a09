import { STORED_DEPTH } from "./limits.ts";

/** Stands in the place of what is nested too deeply. */
export const TOO_DEEP = "(nested too deeply)";

/**
 * Replaces in `value`, in place, the objects and lists that lie deeper than `levels`. For data that was stored before its
 * depth was limited: what walks a value by recursion could not be sure of its stack.
 */
export function pruneDeep<Value>(value: Value, levels: number = STORED_DEPTH): Value {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    for (let place = 0; place < value.length; place++) {
      const inside: unknown = value[place];
      if (typeof inside === "object" && inside !== null) value[place] = pruned(inside, levels);
    }
    return value;
  }
  const entries = value as Record<string, unknown>;
  for (const key in entries) {
    const inside = entries[key];
    if (typeof inside === "object" && inside !== null) entries[key] = pruned(inside, levels);
  }
  return value;
}

function pruned(inside: object, levels: number): unknown {
  return levels <= 1 ? TOO_DEEP : pruneDeep(inside, levels - 1);
}

/** Whether objects and lists lie in each other in more than `levels` levels. */
export function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((inside) => isDeeperThan(levels - 1, inside));
}
