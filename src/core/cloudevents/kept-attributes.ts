import { isJsonObject } from "../json/is-json-object.ts";

/** The fact that holds the attributes of an event for which a signal has no field. */
export const KEPT = "_ce";
/**
 * How the data lies in the facts, where the data is no object: `value`, in the fact `data`; `base64`, there as base64;
 * `absent`: the event had none. No attribute has such a name, so no extension can be taken for it.
 */
const DATA_IS = "data_is";

type DataForm = "value" | "base64" | "absent";
type AttributeValue = string | number | boolean;

/** What the fact {@link KEPT} says. */
export interface KeptAttributes {
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly data: DataForm | "object";
}

export const ATTRIBUTE_NAME = /^[a-z0-9]+$/;

/** @returns `undefined` where the event has nothing to keep beside its data */
export function writeKept({ attributes, data }: KeptAttributes): Record<string, AttributeValue> | undefined {
  const kept = { ...attributes };
  if (data !== "object") kept[DATA_IS] = data;
  return Object.keys(kept).length === 0 ? undefined : kept;
}

/** @returns `undefined` for facts that {@link writeKept} had no part in: a sender may have a fact of this name */
export function readKept(facts: Readonly<Record<string, unknown>>): KeptAttributes | undefined {
  const kept = facts[KEPT];
  if (!isJsonObject(kept)) return undefined;
  const { [DATA_IS]: form = "object", ...attributes } = kept;
  if (form !== "object" && form !== "value" && form !== "base64" && form !== "absent") return undefined;
  const others = Object.keys(facts).filter((key) => key !== KEPT);
  if (form === "absent" && others.length > 0) return undefined;
  if ((form === "value" || form === "base64") && (others.length !== 1 || others[0] !== "data")) return undefined;
  if (form === "base64" && typeof facts.data !== "string") return undefined;
  const read: Record<string, AttributeValue> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (!ATTRIBUTE_NAME.test(name) || HELD.has(name) || !isAttributeValue(value)) return undefined;
    read[name] = value;
  }
  return { attributes: read, data: form };
}

/** Attributes that fields of the signal hold. */
const HELD: ReadonlySet<string> = new Set(["specversion", "id", "source", "data"]);

/** A text, a truth value, or a whole number of 32 bits: CloudEvents has no other attributes in JSON. */
export function isAttributeValue(value: unknown): value is AttributeValue {
  if (typeof value === "number") return Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31;
  return typeof value === "boolean" || (typeof value === "string" && isAttributeText(value));
}

/** @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#type-system */
export function isAttributeText(text: string): boolean {
  return !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(text);
}
