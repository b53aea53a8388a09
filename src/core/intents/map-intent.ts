import type { FieldError } from "../problem/field-error.ts";
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
  const all = route.data === false ? null : (intent.data as Record<string, unknown> | null | undefined);
  const facts: Record<string, unknown> = { ...all };
  const rest = restOf(pattern, type);
  for (const [name, source] of Object.entries(route.facts)) {
    if (source.template !== undefined) {
      const filled = fill(source.template, intent, rest);
      if ("value" in filled) facts[name] = filled.value;
      else errors.push({ pointer: pointerTo(filled.missing), message: `give ${filled.missing}` });
      continue;
    }
    const value = find(source, intent) ?? defaultOf(source, rest);
    if (value === undefined && source.optional) continue;
    const shaped = shape(value, source);
    const fault = faultOf(shaped, source);
    if (fault === undefined) facts[name] = shaped;
    else errors.push({ pointer: pointerTo(source.from[0] ?? ""), message: fault });
  }
  if (errors.length === 0) return { ok: true, signal: route.signal, facts };
  return { ok: false, reason: "the intent lacks what its signal needs", errors, intentType: type };
}

function find(source: FactSource, intent: Record<string, unknown>): unknown {
  for (const path of source.from) {
    const value = at(intent, path);
    if (value !== undefined && value !== null && value !== "") return value;
  }
  return undefined;
}

function at(intent: Record<string, unknown>, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((here, step) => (isObject(here) && Object.hasOwn(here, step) ? here[step] : undefined), intent);
}

function pointerTo(path: string): string {
  return `/${path.replaceAll(".", "/")}`;
}

/** A template over the intent. What it names must be there. */
function fill(
  template: string,
  intent: Record<string, unknown>,
  rest: string,
): { readonly value: unknown } | { readonly missing: string } {
  const look = (path: string) => (path === "rest" ? rest || undefined : at(intent, path));
  const whole = /^\{([^{}]+)\}$/.exec(template)?.[1];
  if (whole !== undefined) {
    const value = look(whole);
    return value === undefined ? { missing: whole } : { value };
  }
  let missing: string | undefined;
  const value = template.replace(/\{([^{}]+)\}/g, (_, path: string) => {
    const part = look(path);
    if (part === undefined) missing ??= path;
    return typeof part === "string" ? part : (JSON.stringify(part) ?? "");
  });
  return missing === undefined ? { value } : { missing };
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
  if (as === "json" && oneOf === undefined) return undefined;
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
