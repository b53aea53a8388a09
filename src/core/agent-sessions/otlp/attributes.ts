import { isJsonObject } from "../../json/is-json-object.ts";

/** A value of an attribute, of any kind that OTLP has. */
export type AttributeValue =
  | string
  | number
  | boolean
  | null
  | readonly AttributeValue[]
  | { readonly [key: string]: AttributeValue };

/** Attributes of a resource, a record, a point or a span, by key. */
export type Attributes = ReadonlyMap<string, AttributeValue>;

/** Attributes of one record, entries of one list, characters of one key and one text, and lists inside each other. */
const MAX_ENTRIES = 256;
const MAX_KEY = 256;
const MAX_TEXT = 16_384;
const MAX_DEPTH = 8;
const TOO_DEEP = "[nested too deeply]";
const INTEGER = /^-?\d{1,20}$/;

/** Reads a list of keys and values; what is no such pair, or is beyond the bounds, is left out. Of a repeated key the first counts. */
export function readAttributes(list: unknown, depth = 0): Attributes {
  const read = new Map<string, AttributeValue>();
  if (!Array.isArray(list)) return read;
  for (const entry of list) {
    if (read.size === MAX_ENTRIES) break;
    if (!isJsonObject(entry) || typeof entry.key !== "string" || entry.key.length > MAX_KEY) continue;
    if (!read.has(entry.key)) read.set(entry.key, readAnyValue(entry.value, depth));
  }
  return read;
}

/** Reads an `AnyValue`. A value of a kind that OTLP does not have is null, as one that is not set. */
export function readAnyValue(value: unknown, depth = 0): AttributeValue {
  if (!isJsonObject(value)) return null;
  if (depth > MAX_DEPTH) return TOO_DEEP;
  const { stringValue, boolValue, intValue, doubleValue, arrayValue, kvlistValue, bytesValue } = value;
  if (typeof stringValue === "string") return stringValue.slice(0, MAX_TEXT);
  if (typeof boolValue === "boolean") return boolValue;
  if (intValue !== undefined) return readInteger(intValue);
  if (doubleValue !== undefined) return readDouble(doubleValue);
  if (typeof bytesValue === "string") return bytesValue.slice(0, MAX_TEXT);
  if (isJsonObject(arrayValue)) {
    const values: unknown[] = Array.isArray(arrayValue.values) ? arrayValue.values : [];
    return values.slice(0, MAX_ENTRIES).map((one) => readAnyValue(one, depth + 1));
  }
  if (isJsonObject(kvlistValue)) return Object.fromEntries(readAttributes(kvlistValue.values, depth + 1));
  return null;
}

/** A 64-bit number, which JSON writes as a text or a number. One that a double does not hold stays the text of its digits. */
function readInteger(value: unknown): AttributeValue {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "string" || !INTEGER.test(value)) return null;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function readDouble(value: unknown): AttributeValue {
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : null;
}

/** A number of an attribute: senders write counts as numbers, and as texts. */
export function numberOf(attributes: Attributes, ...keys: readonly string[]): number | undefined {
  for (const key of keys) {
    const value = attributes.get(key);
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    if (typeof number === "number" && Number.isFinite(number)) return number;
  }
  return undefined;
}

/** A count or an amount, which is never below zero. */
export function amountOf(attributes: Attributes, ...keys: readonly string[]): number | undefined {
  const number = numberOf(attributes, ...keys);
  return number === undefined ? undefined : Math.max(0, number);
}

/** A text of an attribute, cut at `most` characters; `undefined` where there is none. */
export function textOf(attributes: Attributes, key: string, most = 256): string | undefined {
  const value = attributes.get(key);
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value.slice(0, most) : undefined;
}

/** Yes or no, which senders write as booleans and as texts. */
export function flagOf(attributes: Attributes, key: string): boolean | undefined {
  const value = attributes.get(key);
  if (value === true || value === "true") return true;
  return value === false || value === "false" ? false : undefined;
}
