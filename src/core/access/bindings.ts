import * as z from "zod";
import { type Problem, problem } from "../problem/problem.ts";
import { LIMITS } from "../signals/limits.ts";

/** Names in one list of a binding, and characters of all lists together: the sockets of a token carry them. */
const MAX_NAMES = 32;
const MAX_CHARS = 1_024;

const BoundName = z
  .string()
  .min(1)
  .max(LIMITS.identifierLength)
  .regex(/^[^*]*\*?$/, {
    message: "give a name, or the beginning of names with one * at its end, such as gpu-*",
  });
const NewNames = z.array(BoundName).min(1).max(MAX_NAMES).readonly().nullish();

/** The fields of a request for a token that bind the token. Absent or `null`: the token is not bound. */
export const NewBindings = {
  hosts: NewNames.describe(
    "Hosts that the token may speak and work for: names, or beginnings of names with a * at the end",
  ),
  sources: NewNames.describe("Sources that signals may name which the token sends; names, or beginnings with a *"),
  recipients: NewNames.describe("Recipients whose tasks the token may lease and end; names, or beginnings with a *"),
};

const Names = z.array(z.string()).readonly().optional();

/**
 * The names that a token is bound to, each exact or, with a `*` at its end, the beginning of names. A missing list does not
 * bind; an empty one allows nothing.
 */
export const Bindings = z.object({
  hosts: Names.meta({ description: "Hosts that the token may speak and work for; absent: any" }),
  sources: Names.meta({ description: "Sources that the token's signals may name; absent: any" }),
  recipients: Names.meta({ description: "Recipients whose tasks the token may lease and end; absent: any" }),
});
export type Bindings = Readonly<z.infer<typeof Bindings>>;
export type BindingKind = keyof Bindings;
export const BINDINGS: readonly BindingKind[] = ["hosts", "sources", "recipients"];

/** Whether a token that is bound to `names` may use `name`. */
export function isBoundTo(names: readonly string[] | undefined, name: string): boolean {
  if (names === undefined) return true;
  return names.some((bound) => (bound.endsWith("*") ? name.startsWith(bound.slice(0, -1)) : name === bound));
}

/** The lists that bind a token; those that do not bind it are left out. */
export function bindingsOf(from: { readonly [Kind in BindingKind]?: readonly string[] | null | undefined }): Bindings {
  return Object.fromEntries(BINDINGS.flatMap((kind) => (from[kind] ? [[kind, [...new Set(from[kind])]]] : [])));
}

/** Refuses `name`, to which a token is not bound. */
export function notBound(kind: BindingKind, names: readonly string[] | undefined, name: string): Problem {
  const detail =
    `The token is bound to the ${kind} ${(names ?? []).join(", ")}, and "${name.slice(0, 64)}" is none of them. ` +
    "Name one of them, or use a token that is bound to it.";
  return problem("not-bound", 403, `The token is bound to other ${kind}`, detail, { binding: kind });
}

/** The bindings as a request to an object carries them. */
export const writeBindings = (bindings: Bindings): string => JSON.stringify(bindingsOf(bindings));

/** @param text - as {@link writeBindings} gave it; `null`: the token is not bound */
export const readBindings = (text: string | null): Bindings => (text === null ? {} : Bindings.parse(JSON.parse(text)));

/** Whether the names of all lists together are few enough. */
export const fitsSockets = (bindings: Bindings): boolean =>
  BINDINGS.reduce((chars, kind) => chars + (bindings[kind] ?? []).join().length, 0) <= MAX_CHARS;

export const TOO_MANY_NAMES = `the names of all bindings together may have ${MAX_CHARS} characters: give beginnings of names, such as gpu-*`;
