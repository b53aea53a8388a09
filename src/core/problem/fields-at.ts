import * as z from "zod";

/** Names of the fields that a schema allows at `path` of a document. */
export function fieldsAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let here = unwrap(schema);
  for (const step of path) here = here.flatMap((each) => inside(each, step)).flatMap(unwrap);
  return [...new Set(here.flatMap((each) => (each instanceof z.ZodObject ? Object.keys(each.shape) : [])))];
}

function inside(schema: z.ZodType, step: PropertyKey): z.ZodType[] {
  if (schema instanceof z.ZodObject) {
    const child = (schema.shape as Record<string, z.ZodType>)[String(step)];
    return child === undefined ? [] : [child];
  }
  if (schema instanceof z.ZodArray) return [schema.element as z.ZodType];
  if (schema instanceof z.ZodRecord) return [schema.valueType as z.ZodType];
  return [];
}

/** The schemas inside defaults, options, transformations and alternatives. */
function unwrap(schema: z.ZodType): z.ZodType[] {
  if (schema instanceof z.ZodUnion) return (schema.options as z.ZodType[]).flatMap(unwrap);
  if (schema instanceof z.ZodPipe) return [...unwrap(schema.in as z.ZodType), ...unwrap(schema.out as z.ZodType)];
  if (schema instanceof z.ZodLazy) return unwrap(schema.unwrap() as z.ZodType);
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly
  )
    return unwrap(schema.unwrap() as z.ZodType);
  return [schema];
}
