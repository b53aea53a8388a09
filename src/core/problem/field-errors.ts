import type * as z from "zod";
import type { FieldError } from "./field-error.ts";
import { fieldsAt } from "./fields-at.ts";
import { nearest } from "./nearest.ts";

/** What a schema complains of, as Zod says it; which of the fields are there depends on the code. */
interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly code?: string | undefined;
  readonly keys?: readonly string[];
  readonly expected?: string;
  readonly values?: readonly unknown[];
  readonly options?: readonly unknown[];
  readonly origin?: string;
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
  readonly inclusive?: boolean;
  readonly errors?: readonly (readonly Issue[])[];
}

/**
 * Turns a schema's complaints into pointers below `at`, each with what to write instead.
 *
 * @param schema - whose complaints they are: where it is given, a misspelt field is told what it probably means
 */
export function fieldErrors(issues: readonly Issue[], at = "", schema?: z.ZodType): FieldError[] {
  return complaints(issues, at, { schema, path: [] });
}

interface Where {
  readonly schema: z.ZodType | undefined;
  readonly path: readonly PropertyKey[];
}

function complaints(issues: readonly Issue[], at: string, where: Where): FieldError[] {
  return issues.flatMap((issue): FieldError[] => {
    const path = [...where.path, ...issue.path];
    const pointer = at + issue.path.map((step) => `/${escapePointer(String(step))}`).join("");
    if (issue.code === "unrecognized_keys" && issue.keys !== undefined) {
      const known = where.schema === undefined ? [] : fieldsAt(where.schema, path);
      return issue.keys.map((key) => ({
        pointer: `${pointer}/${escapePointer(key)}`,
        message: unknownField(key, known),
      }));
    }
    // Of several forms the one that was meant: only what is wrong with that one helps.
    const meant =
      issue.message === "Invalid input" ? issue.errors?.find(([first]) => !isOfWrongType(first)) : undefined;
    if (meant !== undefined) return complaints(meant, pointer, { ...where, path });
    return [{ pointer, message: describe(issue) }];
  });
}

function unknownField(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  return `there is no such field here${meant === undefined ? "; take it out" : `: did you mean ${meant}?`}`;
}

/** How people call the types. */
const TYPES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
  null: "null",
};

/** What a schema itself has said stays as it is; a library's own words are put so that they tell what to write. */
function describe(issue: Issue): string {
  const { message, code } = issue;
  if (code === "invalid_type" && message.startsWith("Invalid input: expected ")) return typeMessage([issue]);
  if (code === "invalid_value" && /^Invalid (?:option|input): expected /.test(message))
    return oneOf(issue.values ?? []);
  if (code === "invalid_union" && message === "Invalid input") {
    return typeMessage((issue.errors ?? []).flatMap((option) => option.slice(0, 1)));
  }
  if (code === "invalid_union" && message.startsWith("Invalid discriminator")) return oneOf(issue.options ?? []);
  if (code === "too_small" && message.startsWith("Too small: ")) {
    const { inclusive, minimum } = issue;
    return `give ${inclusive === true ? "at least" : "more than"} ${minimum}${unitOf(issue)}`;
  }
  if (code === "too_big" && message.startsWith("Too big: ")) {
    const { inclusive, maximum } = issue;
    return inclusive === true ? `give ${maximum}${unitOf(issue)} at most` : `give less than ${maximum}${unitOf(issue)}`;
  }
  return message;
}

function typeMessage(issues: readonly Issue[]): string {
  const wanted = issues.map(({ expected = "", values }) =>
    values === undefined
      ? (TYPES[expected] ?? `a ${expected}`)
      : values.map((value) => JSON.stringify(value)).join(", "),
  );
  const give = `give ${[...new Set(wanted)].join(" or ")}`;
  const received = issues
    .map(({ message }) => / received (\w+)$/.exec(message)?.[1])
    .find((type) => type !== undefined);
  if (received === "undefined") return `it is missing: ${give}`;
  if (
    received === undefined ||
    TYPES[received] === undefined ||
    issues.some(({ expected }) => expected === "int" && received === "number")
  )
    return give;
  return `${give}, not ${TYPES[received]}`;
}

const oneOf = (values: readonly unknown[]) =>
  values.length === 1 ? `give ${JSON.stringify(values[0])}` : `give one of ${values.map(String).join(", ")}`;

function unitOf({ origin, minimum, maximum }: Issue): string {
  if (origin !== "string" && origin !== "array") return "";
  const unit = origin === "string" ? "character" : "item";
  return ` ${unit}${(minimum ?? maximum) === 1 ? "" : "s"}`;
}

function isOfWrongType(issue: Issue | undefined): boolean {
  if (issue === undefined) return false;
  return issue.path.length === 0 && (issue.code === "invalid_type" || issue.code === "invalid_value");
}

function escapePointer(step: string): string {
  return step.replaceAll("~", "~0").replaceAll("/", "~1");
}
