import * as z from "zod";
import { LIMITS } from "../signals/limits.ts";
import { Timestamp } from "../signals/timestamp-schema.ts";

export const ErasureRequest = z.strictObject({
  /** Nothing is changed: a part of the log is counted. */
  dry_run: z.boolean().default(false),
  /** Of a dry run: `next` of the part before. */
  after: z.int().min(0).default(0),
  source: z
    .string()
    .min(1)
    .max(LIMITS.identifierLength)
    .refine((source) => !/^ganglion(\/|$)/.test(source) && source !== "(erased)", {
      message: "sources of the edge itself cannot be erased: name the source of a host, a program or a person",
    })
    .meta({ description: "The source, whole and as its signals name it" }),
});

/** How many signals would go; counted a part of the log at a time. */
export const ErasurePreview = z.object({
  signals: z.int().meta({ description: "Signals of the source in the part that was searched" }),
  first_at: Timestamp.nullable().meta({ description: "When the first of them was received; null: there is none" }),
  last_at: Timestamp.nullable().meta({ description: "When the last of them was received; null: there is none" }),
  next: z.int().nullable().meta({ description: "Give this as `after` for the next part; null: the log was searched" }),
});
export type ErasurePreview = Readonly<z.infer<typeof ErasurePreview>>;

export const Erasure = z.object({
  id: z.string().meta({ description: "Id of the erasure" }),
  state: z
    .enum(["running", "complete"])
    .meta({ description: "complete: nothing of the source is left, and its name is forgotten" }),
  source_sha256: z.string().meta({
    description: "SHA-256 of the source's name, in hexadecimal: proves which source was erased, without naming it",
  }),
  through_seq: z.int().meta({ description: "The end of the log when the erasure began: later signals stay" }),
  searched_seq: z.int().meta({ description: "Up to here the log holds nothing of the source" }),
  signals: z
    .int()
    .meta({ description: "Signals that were erased: those of the source, and what the edge made of them" }),
  rows: z.int().meta({ description: "Rows outside of the log that were deleted, or in which the name was replaced" }),
  part: z
    .string()
    .nullable()
    .meta({ description: "What is being searched: the log, or an object by its class; null: everything was" }),
  began_at: Timestamp.meta({ description: "What the source sent before goes" }),
  done_at: Timestamp.nullable().meta({ description: "When it was complete; null: it runs" }),
});
export type Erasure = Readonly<z.infer<typeof Erasure>>;

export const ErasureList = z.object({
  erasures: z.array(Erasure).readonly().meta({ description: "The newest first" }),
});
