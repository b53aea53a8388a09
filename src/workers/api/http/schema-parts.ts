import type { z } from "@hono/zod-openapi";

/** Compiles only if values of `Type` fit the schema, so that the document cannot promise another shape. */
export const describes =
  <Type>() =>
  <Schema extends z.ZodType>(_schema: Type extends z.input<Schema> ? Schema : never) =>
    undefined;

/**
 * Gives a schema of src/core its name in the OpenAPI document. It is a copy, because `.openapi` exists only on schemas
 * that were made after @hono/zod-openapi had extended Zod, and src/core may have been loaded before.
 */
export const named = <Schema extends z.ZodType>(name: string, schema: Schema): Schema => schema.clone().openapi(name);
