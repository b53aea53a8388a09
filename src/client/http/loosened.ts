import * as z from "zod";

const made = new WeakMap<z.core.$ZodType, z.core.$ZodType>();

/**
 * The same schema, for answers of an edge that may be newer than this client: at every depth an object may have fields
 * that the schema does not name, and a text that is one of a list may be another; both are passed on. Everything else is
 * as strict as before.
 */
export function loosened<Schema extends z.core.$ZodType>(schema: Schema): Schema {
  let loose = made.get(schema);
  if (loose === undefined) {
    loose = isListOfTexts(schema) ? z.string() : loosenedClone(schema);
    made.set(schema, loose);
  }
  // A clone is an instance of the class of its original. A list of texts is not, and reads what the list reads, and more.
  return loose as Schema;
}

function loosenedClone(schema: z.core.$ZodType): z.core.$ZodType {
  const parts = loosenedParts(schema);
  return parts === undefined ? schema : z.core.clone(schema, z.core.util.mergeDefs(schema._zod.def, parts));
}

/** Whether the schema is an enumeration. A `literal` is none: it tells the kinds of a union apart. */
function isListOfTexts(schema: z.core.$ZodType): boolean {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === "enum" && Object.values(def.entries).every((value) => typeof value === "string");
}

/** @returns the parts of the definition that differ; `undefined`: no part of the schema can hold an object */
function loosenedParts(schema: z.core.$ZodType): object | undefined {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "object":
      return {
        shape: Object.fromEntries(Object.entries(def.shape).map(([name, field]) => [name, loosened(field)])),
        catchall: isClosed(def.catchall) ? z.unknown() : loosened(def.catchall),
      };
    case "array":
      return { element: loosened(def.element) };
    case "record":
      return { valueType: loosened(def.valueType) };
    case "tuple":
      return { items: def.items.map(loosened), rest: def.rest === null ? null : loosened(def.rest) };
    case "union":
      return { options: def.options.map(loosened) };
    case "intersection":
      return { left: loosened(def.left), right: loosened(def.right) };
    case "pipe":
      return { in: loosened(def.in), out: loosened(def.out) };
    case "lazy":
      return { getter: () => loosened(def.getter()) };
    case "optional":
    case "nullable":
    case "nonoptional":
    case "default":
    case "prefault":
    case "catch":
    case "readonly":
      return { innerType: loosened(def.innerType) };
    default:
      return undefined;
  }
}

/** Whether a schema drops or refuses fields that it does not name. */
function isClosed(catchall: z.core.$ZodType | undefined): catchall is undefined | z.core.$ZodNever {
  return catchall === undefined || catchall._zod.def.type === "never";
}
