import { BY_PLACE } from "./property-descriptions.ts";
import { BY_NAME } from "./property-names.ts";

type JsonSchema = Record<string, unknown>;

/** Keywords of a schema below which other schemas lie. */
const BELOW = ["items", "additionalProperties", "anyOf", "oneOf", "allOf"] as const;

/** Begins the part of a description that states the default. */
export const DEFAULT = "Default: ";

/** Gives each property of these schemas a description that has none. A reference is described where it leads. */
export function describeProperties<Schemas extends Readonly<Record<string, unknown>>>(schemas: Schemas): Schemas {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, described(schema, name)]),
  ) as Schemas;
}

function described(schema: unknown, place: string): unknown {
  if (!isSchema(schema)) return schema;
  const copy: JsonSchema = { ...schema };
  if (isSchema(schema.properties)) {
    copy.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, property]) => [
        name,
        ofProperty(property, name, `${place}.${name}`),
      ]),
    );
  }
  for (const keyword of BELOW) {
    const below = schema[keyword];
    if (Array.isArray(below)) copy[keyword] = below.map((each: unknown) => described(each, place));
    else if (isSchema(below)) copy[keyword] = described(below, place);
  }
  return copy;
}

function ofProperty(property: unknown, name: string, place: string): unknown {
  const schema = described(property, place);
  if (!isSchema(schema) || "$ref" in schema) return schema;
  const { description: own = "" } = schema;
  if (typeof own !== "string" || (own !== "" && !own.startsWith(DEFAULT))) return schema;
  const description = BY_PLACE[place] ?? BY_NAME[name];
  if (description === undefined) return schema;
  return { ...schema, description: own === "" ? description : `${description}. ${own}` };
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
