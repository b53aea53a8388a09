import type { FieldError } from "../signals/admit.ts";
import { globMatches } from "../signals/pattern.ts";
import { type FactSource, INTENT_MAP, type IntentRoute } from "./intent-map.ts";

export type MappedIntent =
  | { readonly ok: true; readonly signal: string; readonly facts: Record<string, unknown> }
  | {
      readonly ok: false;
      readonly reason: string;
      readonly errors?: readonly FieldError[];
      readonly intentType?: string;
    };

/** What is wrong with a value, or nothing. */
type Fault = string | undefined;

/**
 * Turns an intent `{id, type, data}` into the name and the facts of a signal. What else stands in `data` goes along
 * as it is: whoever wrote it there meant it for the reader. JSON pointers of errors point into the intent.
 */
export function mapIntent(intent: unknown, map: readonly IntentRoute[] = INTENT_MAP): MappedIntent {
  if (!isObject(intent)) return { ok: false, reason: "an intent is a JSON object {id, type, data}" };
  const { type, data } = intent;
  if (typeof type !== "string" || type === "") {
    const message = "give the type of the intent, such as discover.module.<name> or question";
    return { ok: false, reason: "the intent has no type", errors: [{ pointer: "/type", message }] };
  }
  if (data !== undefined && data !== null && !isObject(data)) {
    const errors = [{ pointer: "/data", message: "give an object" }];
    return { ok: false, reason: "the data of the intent is not an object", errors, intentType: type };
  }
  for (const route of map) {
    const pattern = route.types.find((candidate) => globMatches(candidate, type));
    if (pattern !== undefined) return follow(route, pattern, type, intent);
  }
  const known = map.flatMap((route) => route.types).join(", ");
  return { ok: false, reason: `no route for intents of this type; known are ${known}`, intentType: type };
}

function follow(route: IntentRoute, pattern: string, type: string, intent: Record<string, unknown>): MappedIntent {
  const errors: FieldError[] = [];
  const facts: Record<string, unknown> = { ...(intent.data as Record<string, unknown> | null | undefined) };
  for (const [name, source] of Object.entries(route.facts)) {
    const value = find(source, intent) ?? defaultOf(source, restOf(pattern, type));
    const shaped = shape(value, source);
    const fault = faultOf(shaped, source);
    if (fault === undefined) facts[name] = shaped;
    else errors.push({ pointer: `/${source.from[0]?.replaceAll(".", "/")}`, message: fault });
  }
  if (errors.length === 0) return { ok: true, signal: route.signal, facts };
  return { ok: false, reason: "the intent lacks what its signal needs", errors, intentType: type };
}

function find(source: FactSource, intent: Record<string, unknown>): unknown {
  for (const path of source.from) {
    const value = path
      .split(".")
      .reduce<unknown>((at, step) => (isObject(at) && Object.hasOwn(at, step) ? at[step] : undefined), intent);
    if (value !== undefined && value !== null && value !== "") return value;
  }
  return undefined;
}

function defaultOf({ otherwise }: FactSource, rest: string): unknown {
  if (typeof otherwise !== "string" || !otherwise.includes("{rest}")) return otherwise;
  return rest === "" ? undefined : otherwise.replaceAll("{rest}", () => rest);
}

/** What `*` stood for, for a pattern that ends with it. */
function restOf(pattern: string, type: string): string {
  return pattern.endsWith("*") ? type.slice(pattern.length - 1) : "";
}

function shape(value: unknown, { as }: FactSource): unknown {
  if (as === "text" && typeof value === "number") return String(value);
  if (as === "texts" && typeof value === "string") return [value];
  return value;
}

function faultOf(value: unknown, { from, oneOf, as }: FactSource): Fault {
  if (value === undefined) return `give ${from.join(" or ")}`;
  if (as === "texts") {
    const fine = Array.isArray(value) && value.every((item) => typeof item === "string");
    return fine ? undefined : "give a list of texts";
  }
  if (typeof value !== "string") return "give a text";
  if (oneOf !== undefined && !oneOf.includes(value)) return `give one of ${oneOf.join(", ")}`;
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
