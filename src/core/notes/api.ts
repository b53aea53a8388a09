import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";

const Value = z.record(z.string(), z.unknown()).meta({ description: "Any JSON object" });

/** A note as it is. */
export const Note = z.object({
  key: z.string().meta({ description: "Key of the note, such as task/build-17/progress" }),
  value: Value,
  version: z.int().positive().meta({
    description: "Of the last change; its `ETag` is this number in double quotes. No two changes have the same",
  }),
  created_at: Timestamp,
  changed_at: Timestamp,
  expires_at: Timestamp.nullable().meta({
    description: "When it ends by itself; null: it is kept until it is deleted",
  }),
  by: z.string().meta({ description: "Name of the token that changed it last" }),
});
export type Note = Readonly<z.infer<typeof Note>>;

export const NotePage = z.object({
  notes: z.array(Note).readonly().meta({ description: "By key" }),
  next: z.string().nullable().meta({ description: "Give this as `after` for the next page; null: there is none" }),
});
export type NotePage = Readonly<z.infer<typeof NotePage>>;
