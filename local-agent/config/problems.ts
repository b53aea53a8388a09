import type * as z from "zod";
import { fieldsAt } from "../../src/core/problem/fields-at.ts";
import { nearest } from "../../src/core/problem/nearest.ts";

/** An error or a warning about the settings, with its fix. */
export interface Problem {
  readonly severity: "error" | "warning";
  /** Name of the setting in the file, such as `edge.url`, or of the variable. */
  readonly where: string;
  /** What to do. Values are not shown: they may be secrets. */
  readonly message: string;
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  readonly column?: number;
}

/** An error at a path of the document. `key`: an unknown key at this path. */
export interface SettingsFinding {
  readonly path: readonly (string | number)[];
  readonly key?: string;
  readonly message: string;
}

/**
 * Translates the errors of a schema into messages that name the fix.
 *
 * @param value - the checked document
 */
export function findingsOf(error: z.ZodError, schema: z.ZodType, value: unknown): SettingsFinding[] {
  return error.issues.flatMap((issue) => findingsOfIssue(issue, { schema, value }, []));
}

interface Checked {
  readonly schema: z.ZodType;
  readonly value: unknown;
}

function findingsOfIssue(
  issue: z.core.$ZodIssue,
  checked: Checked,
  at: readonly (string | number)[],
): SettingsFinding[] {
  const path = [...at, ...issue.path.map((step) => (typeof step === "number" ? step : String(step)))];
  if (issue.code === "unrecognized_keys") {
    const known = fieldsAt(checked.schema, path);
    return issue.keys.map((key) => ({ path, key, message: unknownKey(key, known) }));
  }
  if (issue.code === "invalid_key") return [{ path, message: issue.issues[0]?.message ?? issue.message }];
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    // The intended alternative is probably the one with the fewest errors, and with the deepest.
    const depth = (branch: readonly z.core.$ZodIssue[]) => Math.max(0, ...branch.map((each) => each.path.length));
    const meant = issue.errors
      .filter((branch) => branch.length > 0 && depth(branch) > 0)
      .sort((a, b) => a.length - b.length || depth(b) - depth(a))[0];
    if (meant !== undefined) return meant.flatMap((each) => findingsOfIssue(each, checked, path));
  }
  return [{ path, message: wording(issue, valueAt(checked.value, path)) }];
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  if (meant !== undefined) return `unknown setting ${key}: did you mean ${meant}?`;
  return `unknown setting ${key}: remove it${known.length === 0 ? "" : `, or use one of ${known.join(", ")}`}`;
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((here, step) => (here as Record<string, unknown> | null | undefined)?.[step], value);
}

function wording(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code !== "invalid_type" || !issue.message.startsWith("Invalid input")) return issue.message;
  const received = kindOf(value);
  if (value === undefined) return `missing: give ${article(issue.expected)}`;
  if (issue.expected === "string" && ["a number", "true or false"].includes(received))
    return `give a text, not ${received}: put it into quotes`;
  return `give ${article(issue.expected)}, not ${received}`;
}

function article(expected: string): string {
  const words: Record<string, string> = {
    string: "a text",
    number: "a number",
    int: "a whole number",
    boolean: "true or false",
    array: "a list",
    object: "a section with settings",
    record: "a section with settings",
  };
  return words[expected] ?? expected;
}

function kindOf(value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "boolean") return "true or false";
  if (typeof value === "object") return "a section";
  return typeof value === "string" ? "a text" : `a ${typeof value}`;
}
