import { isJsonObject } from "../json/is-json-object.ts";
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

/**
 * Turns an intent `{id, type, data}` into the name and the facts of a signal. Fields of `data` that the route does not
 * name become facts unchanged: the author of the intent wrote them for the reader. JSON pointers of errors point into
 * the intent.
 */
export function mapIntent(intent: unknown, map: readonly IntentRoute[] = INTENT_MAP): MappedIntent {
  if (!isJsonObject(intent)) return { ok: false, reason: "an intent is a JSON object {id, type, data}" };
  const { type, data } = intent;
  if (typeof type !== "string" || type === "") {
    const message = "give the type of the intent, such as discover.module.<name> or question";
    return { ok: false, reason: "the intent has no type", errors: [{ pointer: "/type", message }] };
  }
  if (data !== undefined && data !== null && !isJsonObject(data)) {
    const errors = [{ pointer: "/data", message: "give an object" }];
    return { ok: false, reason: "the data of the intent is not an object", errors, intentType: type };
  }
  for (const route of map) {
    const pattern = route.types.find((candidate) => globMatches(candidate, type));
    if (pattern !== undefined) return applyRoute(route, pattern, type, intent);
  }
  const known = map.flatMap((route) => route.types).join(", ");
  return { ok: false, reason: `no route for intents of this type; known types: ${known}`, intentType: type };
}

function applyRoute(route: IntentRoute, pattern: string, type: string, intent: Record<string, unknown>): MappedIntent {
  const errors: FieldError[] = [];
  const facts: Record<string, unknown> = route.data !== false && isJsonObject(intent.data) ? { ...intent.data } : {};
  const rest = restOf(pattern, type);
  for (const [name, source] of Object.entries(route.facts)) {
    if (source.template !== undefined) {
      const filled = fillTemplate(source.template, intent, rest);
      if ("value" in filled) facts[name] = filled.value;
      else errors.push({ pointer: pointerTo(filled.missing), message: `give ${filled.missing}` });
      continue;
    }
    const found = find(source, intent) ?? defaultOf(source, rest);
    if (found === undefined && source.optional) continue;
    const value = convert(found, source);
    const message = problemWith(value, source);
    if (message === undefined) facts[name] = value;
    else errors.push({ pointer: pointerTo(source.from[0] ?? ""), message });
  }
  if (errors.length === 0) return { ok: true, signal: route.signal, facts };
  return { ok: false, reason: "the intent lacks facts that its signal needs", errors, intentType: type };
}

function find(source: FactSource, intent: Record<string, unknown>): unknown {
  for (const path of source.from) {
    const value = valueAt(intent, path);
    if (value !== undefined && value !== null && value !== "") return value;
  }
  return undefined;
}

function valueAt(intent: Record<string, unknown>, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (here, step) => (isJsonObject(here) && Object.hasOwn(here, step) ? here[step] : undefined),
      intent,
    );
}

function pointerTo(path: string): string {
  return `/${path.replaceAll(".", "/")}`;
}

/** Fills a template from the intent. Every path in the template must lead to a value. */
function fillTemplate(
  template: string,
  intent: Record<string, unknown>,
  rest: string,
): { readonly value: unknown } | { readonly missing: string } {
  const lookUp = (path: string) => (path === "rest" ? rest || undefined : valueAt(intent, path));
  const whole = /^\{([^{}]+)\}$/.exec(template)?.[1];
  if (whole !== undefined) {
    const value = lookUp(whole);
    return value === undefined ? { missing: whole } : { value };
  }
  let missing: string | undefined;
  const value = template.replace(/\{([^{}]+)\}/g, (_, path: string) => {
    const part = lookUp(path);
    if (part === undefined) missing ??= path;
    return typeof part === "string" ? part : (JSON.stringify(part) ?? "");
  });
  return missing === undefined ? { value } : { missing };
}

function defaultOf({ otherwise }: FactSource, rest: string): unknown {
  if (typeof otherwise !== "string" || !otherwise.includes("{rest}")) return otherwise;
  return rest === "" ? undefined : otherwise.replaceAll("{rest}", () => rest);
}

/** The part of the type that `*` matched, for a pattern that ends with `*`. */
function restOf(pattern: string, type: string): string {
  return pattern.endsWith("*") ? type.slice(pattern.length - 1) : "";
}

function convert(value: unknown, { as }: FactSource): unknown {
  if (as === "text" && typeof value === "number") return String(value);
  if (as === "texts" && typeof value === "string") return [value];
  return value;
}

/** @returns what to give instead; `undefined` for a value that fits */
function problemWith(value: unknown, { from, oneOf, as }: FactSource): string | undefined {
  if (value === undefined) return `give ${from.join(" or ")}`;
  if (as === "json" && oneOf === undefined) return undefined;
  if (as === "texts") {
    const fine = Array.isArray(value) && value.every((item) => typeof item === "string");
    return fine ? undefined : "give a list of strings";
  }
  if (typeof value !== "string") return "give a string";
  if (oneOf !== undefined && !oneOf.includes(value)) return `give one of ${oneOf.join(", ")}`;
  return undefined;
}
