import type * as z from "zod";
import type { FieldError } from "./field-error.ts";
import { fieldsAt } from "./fields-at.ts";
import { nearest } from "./nearest.ts";

/** An issue as Zod reports it; which of the optional fields it has depends on its code. */
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

interface Wording {
  /** How a message names a field that the schema does not know; default `field`. */
  readonly field?: string;
  /** The field into which a sender may put fields of its own; an unknown field's message then names it. */
  readonly extrasGoInto?: string;
}

/**
 * Turns a schema's issues into errors with pointers below `at`. Each message names a value that is allowed.
 *
 * @param schema - the schema that found the issues: with it, the message for a misspelt field names the one that is meant
 */
export function fieldErrors(
  issues: readonly Issue[],
  at = "",
  schema?: z.ZodType,
  wording: Wording = {},
): FieldError[] {
  return errorsOf(issues, at, { schema, path: [], wording });
}

interface Context {
  readonly schema: z.ZodType | undefined;
  readonly path: readonly PropertyKey[];
  readonly wording: Wording;
}

function errorsOf(issues: readonly Issue[], at: string, context: Context): FieldError[] {
  return issues.flatMap((issue): FieldError[] => {
    const path = [...context.path, ...issue.path];
    const pointer = at + issue.path.map((step) => `/${escapePointer(String(step))}`).join("");
    if (issue.code === "unrecognized_keys" && issue.keys !== undefined) {
      const known = context.schema === undefined ? [] : fieldsAt(context.schema, path);
      return issue.keys.map((key) => ({
        pointer: `${pointer}/${escapePointer(key)}`,
        message: unknownField(key, known, context.wording),
      }));
    }
    // A union has several forms: only the errors of the form that the sender meant help.
    const meant =
      issue.message === "Invalid input" ? issue.errors?.find(([first]) => !isOfWrongType(first)) : undefined;
    if (meant !== undefined) return errorsOf(meant, pointer, { ...context, path });
    return [{ pointer, message: describe(issue, pointer) }];
  });
}

function unknownField(key: string, known: readonly string[], { field = "field", extrasGoInto }: Wording): string {
  const meant = nearest(key, known);
  if (meant !== undefined) return `unknown ${field}: did you mean ${meant}?`;
  return `unknown ${field}: remove it${extrasGoInto === undefined ? "" : `, or move it into ${extrasGoInto}`}`;
}

/** Names of the types for people. */
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

/** Keeps the messages that a schema itself gives; the library's own are replaced by messages that say what to write. */
function describe(issue: Issue, pointer: string): string {
  const { message, code } = issue;
  if (code === "invalid_type" && message.startsWith("Invalid input: expected ")) return typeMessage([issue], pointer);
  if (code === "invalid_value" && /^Invalid (?:option|input): expected /.test(message))
    return oneOf(issue.values ?? []);
  if (code === "invalid_union" && message === "Invalid input") {
    const firsts = (issue.errors ?? []).flatMap((option) => option.slice(0, 1));
    return typeMessage(firsts, pointer);
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

function typeMessage(issues: readonly Issue[], pointer: string): string {
  // "nonoptional" is any value at all: there is no type to name.
  const typed = issues.filter(({ expected }) => expected !== "nonoptional");
  const wanted = typed.map(({ expected = "", values }) =>
    values === undefined
      ? (TYPES[expected] ?? `a ${expected}`)
      : values.map((value) => JSON.stringify(value)).join(", "),
  );
  const give = `give ${[...new Set(wanted)].join(" or ")}`;
  const received = issues
    .map(({ message }) => / received (\w+)$/.exec(message)?.[1])
    .find((type) => type !== undefined);
  if (received === "undefined") return `${nameOf(pointer)} is required${typed.length === 0 ? "" : `: ${give}`}`;
  if (
    received === undefined ||
    TYPES[received] === undefined ||
    issues.some(({ expected }) => expected === "int" && received === "number")
  )
    return give;
  return `${give}, not ${TYPES[received]}`;
}

/** The field to which a pointer leads, in words. */
function nameOf(pointer: string): string {
  if (pointer === "") return "the document";
  const name = pointer.slice(pointer.lastIndexOf("/") + 1);
  return /^\d+$/.test(name) ? `item ${name}` : name.replaceAll("~1", "/").replaceAll("~0", "~");
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

export function escapePointer(step: string): string {
  return step.replaceAll("~", "~0").replaceAll("/", "~1");
}
