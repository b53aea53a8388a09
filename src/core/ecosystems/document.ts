import * as z from "zod";

/** Version of the document that an export is. */
export const EXPORT_FORMAT = 1;

/** A value of a column; bytes as base64. */
const Value = z.union([z.string(), z.number(), z.null(), z.strictObject({ base64: z.string() })]);

/** The first line of an export. */
export const ExportHeader = z.object({
  ganglion_export: z.literal(EXPORT_FORMAT, {
    message: `an export of another format: this release reads format ${EXPORT_FORMAT}`,
  }),
  ecosystem: z.string(),
  exported_at: z.string(),
  with_secrets: z.boolean(),
  /** When each queue was made. */
  queues: z.record(z.string(), z.iso.datetime()),
});

const Table = z.object({
  name: z.string().regex(/^[a-z][a-z0-9_]{0,63}$/),
  /** As the database has it. */
  sql: z.string().regex(/^CREATE TABLE [^;]+$/),
  indexes: z.array(z.string().regex(/^CREATE (UNIQUE )?INDEX [^;]+$/)),
});
export type Table = Readonly<z.infer<typeof Table>>;

/** What an object stores; comes before the object's rows. */
export const ObjectTables = z.object({
  object: z.string(),
  schema: z.int().min(1),
  tables: z.array(Table),
  alarm_ms: z.number().nullable(),
  /** How far the automatic numbers of a table have come. */
  sequences: z.record(z.string(), z.int()),
});
export type ObjectTables = Readonly<z.infer<typeof ObjectTables>>;

export const ObjectRows = z.object({
  object: z.string(),
  table: z.string(),
  columns: z.array(z.string().regex(/^[a-z][a-z0-9_]{0,63}$/)),
  rows: z.array(z.array(Value)),
});
export type ObjectRows = Readonly<z.infer<typeof ObjectRows>>;

/** The object is whole. */
export const ObjectEnd = z.object({ object: z.string(), ended: z.literal(true) });
export type ObjectEnd = Readonly<z.infer<typeof ObjectEnd>>;

/** The last line. */
export const ExportEnd = z.object({
  complete: z.literal(true),
  objects: z.array(z.string()),
  /** Whether hosts of the ecosystem are asked each minute. */
  watched: z.boolean(),
  /** Lines of the document before this one. */
  lines: z.int(),
});

export const ObjectLine = z.union([ObjectTables, ObjectRows, ObjectEnd]);
export const ExportLine = z.union([ExportHeader, ObjectTables, ObjectRows, ObjectEnd, ExportEnd]);

/** A page of an export, as the API answers it. */
export const ExportPage = z.object({
  lines: z.array(z.string()).meta({ description: "Lines of the document, each a JSON document itself" }),
  next: z.string().nullable().meta({ description: "Where the next page begins; `null`: the document is complete" }),
});

export const ImportReceipt = z.object({
  complete: z.boolean().meta({ description: "The last line was there, and the ecosystem is in use" }),
});

export const Deletion = z.object({
  deleted: z.boolean().meta({ description: "Nothing of the ecosystem is left" }),
  queues_left: z.int().meta({ description: "Queues that the next call deletes; one call deletes a number of them" }),
});

export const EcosystemList = z.object({
  ecosystems: z.array(
    z.object({
      name: z.string().meta({ description: "Name of the ecosystem" }),
      last_active_at: z.string().meta({ description: "When signals last came, to the minute" }),
    }),
  ),
});
