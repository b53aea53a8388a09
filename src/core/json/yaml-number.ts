import { isHeldByDouble } from "./number-text.ts";

const DECIMAL = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/;

/**
 * Whether a scalar of a YAML document, which its reader took for a number, is another number than the text says: a number
 * that a double does not hold, or one that JSON does not have.
 *
 * @param source - the text of the scalar
 */
export function changedByYaml(value: unknown, source: string | undefined): boolean {
  if (typeof value !== "number") return false;
  if (!Number.isFinite(value)) return true;
  return source !== undefined && DECIMAL.test(source) && !isHeldByDouble(source.replace(/^\+/, ""));
}
