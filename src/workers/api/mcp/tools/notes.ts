import * as z from "zod";
import { Note, NotePage } from "../../../../core/notes/api.ts";
import { TTL_MS } from "../../../../core/notes/limits.ts";
import { path } from "../edge-calls.ts";
import { defineTool, READS } from "../tool.ts";

/** Below the time after which clients give a call up. */
const MAX_WAIT_MS = 25_000;

const key = z.string().min(1).max(512).meta({
  description: "Key: task/<id>/<note>, agent/<name>/<note>, or any other path for the ecosystem, such as deploy/freeze",
});

const listNotes = defineTool({
  name: "list_notes",
  title: "List notes",
  description:
    "Facts that agents noted about a task, an agent or the ecosystem, by key. Notes of a task that you took came with it already.",
  operations: ["listNotes"],
  scopes: ["tasks:read"],
  annotations: READS,
  args: z.strictObject({
    prefix: z.string().max(512).optional().meta({ description: "Only keys that begin so, such as task/build-17/" }),
    limit: z.int().min(1).max(1_000).default(50).meta({ description: "Notes in a page; default 50" }),
    after: z.string().max(512).optional().meta({ description: "`next` of the page before" }),
  }),
  answer: NotePage,
  run: (query, edge) => edge({ method: "GET", path: "/notes", query }),
});

const readNote = defineTool({
  name: "read_note",
  title: "Read a note",
  description:
    "A note with its version. With `wait_ms` the answer waits until its version is another one than `unless_version`, or until " +
    "there is a note.",
  operations: ["getNote"],
  scopes: ["tasks:read"],
  annotations: READS,
  args: z.strictObject({
    key,
    unless_version: z.int().min(0).optional().meta({ description: "The version that you have" }),
    wait_ms: z
      .int()
      .min(0)
      .max(MAX_WAIT_MS)
      .default(0)
      .meta({ description: "How long to wait for a change; default 0" }),
  }),
  answer: Note,
  run: ({ key, ...query }, edge) => edge({ method: "GET", path: path`/notes/${key}`, query }),
});

const writeNote = defineTool({
  name: "write_note",
  title: "Write a note",
  description:
    "Notes a fact for others, or for whoever takes your task next. Give the version that you read as `if_version`, and 0 to make " +
    "a note: a refusal (412) shows the present one, so that you change that instead of losing what another agent wrote.",
  operations: ["putNote"],
  scopes: ["tasks:work"],
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  args: z.strictObject({
    key,
    value: z.record(z.string(), z.unknown()).meta({ description: "The whole value: any JSON object" }),
    if_version: z
      .int()
      .min(0)
      .optional()
      .meta({ description: "Only this version is changed; absent: it is overwritten" }),
    ttl_ms: z
      .int()
      .min(TTL_MS.min)
      .max(TTL_MS.max)
      .optional()
      .meta({ description: "It ends so long after this change; default never, of a task 30 days" }),
    cause: z.string().optional().meta({ description: "Id of the signal that led to it" }),
  }),
  answer: Note,
  run: ({ key, value, ...query }, edge) => edge({ method: "PUT", path: path`/notes/${key}`, query, body: value }),
});

const deleteNote = defineTool({
  name: "delete_note",
  title: "Delete a note",
  description: "Deletes a note that holds no longer. What it was stays in the log, as the signals Q_NOTE_CHANGED.",
  operations: ["deleteNote"],
  scopes: ["tasks:work"],
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  args: z.strictObject({
    key,
    if_version: z.int().min(1).optional().meta({ description: "Only where it has this version" }),
  }),
  answer: z.object({}),
  run: ({ key, ...query }, edge) => edge({ method: "DELETE", path: path`/notes/${key}`, query }),
});

/** Facts that agents share. */
export const noteTools = [listNotes, readNote, writeNote, deleteNote];
