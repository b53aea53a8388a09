import type { JsonLimits } from "./limits.ts";
import { isHeldByDouble } from "./number-text.ts";

/** A place of a JSON text that breaks a limit, or that JSON.parse would change. */
export interface JsonFault {
  readonly kind: "depth" | "keys" | "key_length" | "forbidden_key" | "repeated_key" | "number" | "surrogate";
  /** JSON pointer (RFC 6901). */
  readonly pointer: string;
  readonly message: string;
  /** The number, string or key in the text. */
  readonly from: number;
  readonly to: number;
}

/** An object or list that is open. */
interface Level {
  /** Keys so far; `undefined` for a list. */
  readonly keys: Set<string> | undefined;
  /** Key or place of the value that comes next. */
  step: string | number;
}

/**
 * Finds every place of a text that is not kept as its writer meant it. Without recursion, so that depth costs no stack;
 * one by one, so that a text full of faults costs no memory.
 *
 * @param text - that JSON.parse reads without an error
 */
export function* findFaults(text: string, limits: JsonLimits): Generator<JsonFault, void> {
  const open: Level[] = [];
  let expectsKey = false;
  const fault = (kind: JsonFault["kind"], from: number, to: number, message: string): JsonFault => ({
    kind,
    pointer: pointerOf(open),
    message,
    from,
    to,
  });
  let at = 0;
  while (at < text.length) {
    const char = text[at];
    const top = open.at(-1);
    if (char === "{" || char === "[") {
      if (open.length >= limits.depth) {
        const end = endOfContainer(text, at);
        yield fault("depth", at, end, "nested too deeply: flatten the value, or send it as a text");
        at = end;
        continue;
      }
      open.push({ keys: char === "{" ? new Set() : undefined, step: 0 });
      expectsKey = char === "{";
      at++;
    } else if (char === "}" || char === "]") {
      open.pop();
      at++;
    } else if (char === ",") {
      expectsKey = top?.keys !== undefined;
      if (typeof top?.step === "number") top.step++;
      at++;
    } else if (char === '"') {
      const end = endOfString(text, at);
      const content = textOf(text, at, end);
      if (expectsKey && top?.keys !== undefined) {
        expectsKey = false;
        top.step = content;
        const wrong = keyFault(content, top.keys, limits);
        if (wrong !== undefined) yield fault(wrong.kind, at, end, wrong.message);
        top.keys.add(content);
      }
      if (!content.isWellFormed())
        yield fault("surrogate", at, end, "the text holds half of a surrogate pair, which is no character: remove it");
      at = end;
    } else if (char === "-" || (char !== undefined && char >= "0" && char <= "9")) {
      const end = endOfNumber(text, at);
      const number = text.slice(at, end);
      if (!isHeldByDouble(number)) yield fault("number", at, end, numberMessage(number));
      at = end;
    } else {
      at++;
    }
  }
}

function keyFault(
  key: string,
  known: ReadonlySet<string>,
  limits: JsonLimits,
): Pick<JsonFault, "kind" | "message"> | undefined {
  if (key.length > limits.keyLength)
    return { kind: "key_length", message: `a key may have ${limits.keyLength} characters: put the text into a value` };
  if (key === "__proto__") return { kind: "forbidden_key", message: "a key may not be __proto__: rename it" };
  if (known.has(key)) return { kind: "repeated_key", message: "the object has this key twice: send it once" };
  // Told once an object.
  if (known.size === limits.keys)
    return { kind: "keys", message: `an object may have ${limits.keys} keys: send a list, or several objects` };
  return undefined;
}

function numberMessage(text: string): string {
  const value = Number(text);
  if (value === 0) return "the number is too small for JSON readers, which would take 0: send it as a string";
  if (!Number.isFinite(value)) return "the number is too large for JSON readers: send it as a string";
  return "the number has more digits than JSON readers keep: send it as a string";
}

/** @param start - of an opening bracket @returns the place after the bracket that closes it */
function endOfContainer(text: string, start: number): number {
  let depth = 0;
  let at = start;
  do {
    const char = text[at];
    if (char === '"') {
      at = endOfString(text, at);
      continue;
    }
    if (char === "{" || char === "[") depth++;
    else if (char === "}" || char === "]") depth--;
    at++;
  } while (depth > 0);
  return at;
}

/** @param start - of the opening quote @returns the place after the closing one */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    if (text[at] === '"') return at + 1;
    if (text[at] === "\\") at++;
  }
}

const NUMBER = /[-+.0-9eE]*/y;

function endOfNumber(text: string, start: number): number {
  NUMBER.lastIndex = start;
  return NUMBER.test(text) ? NUMBER.lastIndex : start + 1;
}

/** What a string of the text says. */
function textOf(text: string, from: number, to: number): string {
  const inside = text.slice(from + 1, to - 1);
  return inside.includes("\\") ? String(JSON.parse(text.slice(from, to))) : inside;
}

/** Longer keys are cut: a pointer shows a place and is no second copy of the document. */
const MAX_STEP = 128;

function pointerOf(open: readonly Level[]): string {
  return open
    .map(({ step }) => `/${String(step).slice(0, MAX_STEP).replaceAll("~", "~0").replaceAll("/", "~1")}`)
    .join("");
}
