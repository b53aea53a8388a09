import { Note, NotePage } from "../../../core/notes/api.ts";
import { named } from "../http/schema-parts.ts";

export const NoteSchema = named("Note", Note);
export const NotesSchema = named("Notes", NotePage);
