import * as z from "zod";
import { Note } from "./api.ts";

/** What a worker gets of a task's notes, with the task. */
export const HandedNotes = {
  notes: z
    .array(Note)
    .optional()
    .meta({ description: "Notes of the task (`task/<id>/…`), the last change first; absent: there are none" }),
  notes_left_out: z
    .int()
    .positive()
    .optional()
    .meta({ description: "Notes of the task that had no room here: list them with the prefix task/<id>/" }),
  notes_missing: z
    .literal(true)
    .optional()
    .meta({ description: "The notes could not be read in time: list them with the prefix task/<id>/" }),
};
