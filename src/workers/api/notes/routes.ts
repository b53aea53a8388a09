import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { isBoundTo, notBound } from "../../../core/access/bindings.ts";
import { authorise, type Grant } from "../../../core/access/grant.ts";
import type { Note, NotePage } from "../../../core/notes/api.ts";
import { type NamedVersions, readTags, TAGS_RULE, tagOf } from "../../../core/notes/entity-tags.ts";
import { agentOf, keyProblem, NOTE_KEY, subjectOf } from "../../../core/notes/key.ts";
import { MAX_NOTE_WAIT_MS, NOTE_LIMITS, TASK_TTL_MS, TTL_MS } from "../../../core/notes/limits.ts";
import type { Full } from "../../../core/notes/note.ts";
import { problem } from "../../../core/problem/problem.ts";
import { utf8Bytes } from "../../../core/signals/limits.ts";
import { IDENTIFIER } from "../../../core/signals/signal.ts";
import type { NoteText } from "../../../durable-objects/notes/object.ts";
import { notes } from "../../bindings/objects.ts";
import type { ApiEnv } from "../http/api-env.ts";
import { readJson } from "../http/body.ts";
import { notModified, tagged } from "../http/entity-tag.ts";
import { nextLink } from "../http/next-link.ts";
import { EcosystemPath, wholeNumber } from "../http/query.ts";
import { invalid, notFound, Refusal } from "../http/refusal.ts";
import { json, jsonBody, jsonText, newApi, problems, secured } from "../http/route.ts";
import { NoteSchema, NotesSchema } from "./schemas.ts";

const tags = ["coordination"];
const NotePath = EcosystemPath.extend({
  key: z
    .string()
    .superRefine((key, context) => {
      const message = keyProblem(key);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    })
    .openapi({
      type: "string",
      param: { description: "Key of the note; its `/` may be written as they are, or as %2F" },
      example: "task/build-17/progress",
    }),
});
/** A key holds slashes, which belong to the parameter. The document names the path as `/v1/{eco}/notes/{key}`. */
const path = "/v1/{eco}/notes/{key{.+}}";

const Cause = z
  .string()
  .regex(IDENTIFIER, "give the id of a signal")
  .optional()
  .openapi({ description: "Id of the signal that led to the change", param: { required: false } });

const ttl = z
  .string()
  .optional()
  .transform((text, context) => {
    if (text === undefined) return undefined;
    const ms = /^\d{1,13}$/.test(text) ? Number(text) : Number.NaN;
    if (ms >= TTL_MS.min && ms <= TTL_MS.max) return ms;
    context.addIssue({ code: "custom", message: `give a whole number from ${TTL_MS.min} to ${TTL_MS.max}` });
    return z.NEVER;
  })
  .openapi({
    type: "integer",
    minimum: TTL_MS.min,
    maximum: TTL_MS.max,
    description: "The note ends so long after this change, in milliseconds. Default: never; of a task, after 30 days",
    param: { required: false },
  });

const header = (description: string) => z.string().max(1_024).optional().openapi({ description });
const version = (description: string) =>
  z
    .string()
    .regex(/^\d{1,15}$/, "give the version of the note, such as 42")
    .transform(Number)
    .optional()
    .openapi({ type: "integer", minimum: 0, description, param: { required: false } });
const IfVersion = version("As `If-Match`, for callers that set no headers; 0 on a PUT: creates only");
const IfMatch = header("The change is made only to a note with one of these tags; `*`: to one that is there");
const IfNoneMatch = header("The change is made only where no note has one of these tags; `*`: creates only");
const Held = header("Tags that you have: 304 where the note has one of them");

const list = createRoute({
  method: "get",
  path: "/v1/{eco}/notes",
  operationId: "listNotes",
  summary: "List notes by key",
  tags,
  ...secured("tasks:read"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      prefix: z
        .string()
        .regex(/^[A-Za-z0-9._:@~/-]{0,512}$/, "give the beginning of keys, such as task/build-17/")
        .default("")
        .openapi({ description: "Only keys that begin so", param: { required: false } }),
      limit: wholeNumber(1, 1_000, 100, "Notes in a page"),
      after: z
        .string()
        .regex(NOTE_KEY, "give `next` of an earlier page")
        .optional()
        .openapi({ description: "`next` of the page before", param: { required: false } }),
    }),
  },
  responses: { 200: json(NotesSchema, "One page"), ...problems() },
});

const show = createRoute({
  method: "get",
  path,
  operationId: "getNote",
  summary: "Get a note, or wait for its next change",
  description:
    "With `wait_ms` and the `ETag` that you have as `If-None-Match` the answer waits until the note is another one, and is 304 " +
    "where it stays. Without that header it waits until there is a note.",
  tags,
  ...secured("tasks:read"),
  request: {
    params: NotePath,
    headers: z.object({ "if-none-match": Held }),
    query: z.strictObject({
      unless_version: version(
        "As `If-None-Match`, for callers that set no headers; where the note stays the answer is the note, and not 304",
      ),
      wait_ms: wholeNumber(0, MAX_NOTE_WAIT_MS, 0, "How long to wait for a change, in milliseconds"),
    }),
  },
  responses: {
    200: json(NoteSchema, "The note; `ETag` names its version"),
    304: { description: "The note has a tag that `If-None-Match` names" },
    ...problems(404),
  },
});

const put = createRoute({
  method: "put",
  path,
  operationId: "putNote",
  summary: "Make or change a note",
  description:
    "The body is the whole value. With `If-Match` the change is made only to the version that you know, so that no update is " +
    "lost: on 412 read `note` of the answer, change that, and try again. The change is also a signal, `Q_NOTE_CHANGED`.",
  tags,
  ...secured("tasks:work"),
  request: {
    params: NotePath,
    headers: z.object({ "if-match": IfMatch, "if-none-match": IfNoneMatch }),
    query: z.strictObject({
      ttl_ms: ttl,
      cause: Cause,
      if_version: IfVersion,
    }),
    body: jsonBody({ type: "object", additionalProperties: true, example: { step: 3, done: ["fetch", "build"] } }),
  },
  responses: {
    200: json(NoteSchema, "The note was changed; `ETag` names its version"),
    201: json(NoteSchema, "The note was made"),
    ...problems(400, 409, 412, 413, 415),
  },
});

const remove = createRoute({
  method: "delete",
  path,
  operationId: "deleteNote",
  summary: "Delete a note",
  tags,
  ...secured("tasks:work"),
  request: {
    params: NotePath,
    headers: z.object({ "if-match": IfMatch }),
    query: z.strictObject({ cause: Cause, if_version: IfVersion }),
  },
  responses: { 204: { description: "The note is gone" }, ...problems(404, 412) },
});

export const noteRoutes = newApi()
  .openapi(list, async (c) => {
    const { prefix, limit, after = "" } = c.req.valid("query");
    const page = await notes(c.env, c.req.valid("param").eco).list(prefix, after, limit);
    const next = JSON.stringify(page.next);
    return jsonText<NotePage>(`{"notes":[${page.notes.join(",")}],"next":${next}}`, nextLink(c.req.url, page.next));
  })
  .openapi(show, async (c) => {
    const { eco, key } = c.req.valid("param");
    const { wait_ms, unless_version } = c.req.valid("query");
    const known = named(c, "if-none-match");
    const other = known ?? (unless_version === undefined ? null : [unless_version]);
    const found = await notes(c.env, eco).get(key, other, wait_ms);
    if (found === null) throw unknown(key);
    if (known === "*" || known?.includes(found.version)) return notModified(tagOf(found.version));
    return jsonText<Note>(found.json, tagged(tagOf(found.version)));
  })
  .openapi(put, async (c) => {
    const { eco, key } = c.req.valid("param");
    mayWrite(c.get("grant"), key);
    const { ttl_ms, cause, if_version } = c.req.valid("query");
    const valueJson = await noteValue(c.req.raw);
    const answer = await notes(c.env, eco).put({
      key,
      valueJson,
      bytes: utf8Bytes(valueJson),
      by: c.get("grant").name,
      ttlMs: ttl_ms ?? (subjectOf(key).kind === "task" ? TASK_TTL_MS : null),
      ifMatch: named(c, "if-match") ?? (if_version === undefined || if_version === 0 ? undefined : [if_version]),
      ifNoneMatch: named(c, "if-none-match") ?? (if_version === 0 ? "*" : undefined),
      cause,
    });
    if ("stale" in answer) throw stale(c, key, answer.stale);
    if ("full" in answer) throw full(answer.full);
    const headers = tagged(tagOf(answer.note.version));
    return answer.made
      ? jsonText<Note, 201>(answer.note.json, headers, 201)
      : jsonText<Note>(answer.note.json, headers);
  })
  .openapi(remove, async (c) => {
    const { eco, key } = c.req.valid("param");
    mayWrite(c.get("grant"), key);
    const { cause, if_version } = c.req.valid("query");
    const ifMatch = named(c, "if-match") ?? (if_version === undefined ? undefined : [if_version]);
    const removal = { key, by: c.get("grant").name, ifMatch, cause };
    const answer = await notes(c.env, eco).remove(removal);
    if ("none" in answer) throw unknown(key);
    if ("stale" in answer) throw stale(c, key, answer.stale);
    return c.body(null, 204);
  });

/** @throws Refusal */
function named(c: Context<ApiEnv>, name: "if-match" | "if-none-match"): NamedVersions | undefined {
  const header = c.req.header(name);
  if (header === undefined) return undefined;
  const read = readTags(header);
  if (read !== undefined) return read;
  throw invalid("invalid-header", "The request is not valid", [{ pointer: `/header/${name}`, message: TAGS_RULE }]);
}

/** A token that is bound to recipients writes notes of those agents alone. @throws Refusal */
function mayWrite({ recipients }: Grant, key: string): void {
  const agent = agentOf(key);
  if (agent !== undefined && !isBoundTo(recipients, agent))
    throw new Refusal(notBound("recipients", recipients, agent));
}

const INVALID = { kind: "invalid-note", title: "Invalid note" };

async function noteValue(request: Request): Promise<string> {
  const value = await readJson(request, INVALID);
  const refused = (message: string) => invalid(INVALID.kind, INVALID.title, [{ pointer: "", message }]);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw refused('the value of a note is a JSON object, such as {"step": 3}');
  const text = JSON.stringify(value);
  const bytes = utf8Bytes(text);
  if (bytes <= NOTE_LIMITS.valueBytes) return text;
  const most = NOTE_LIMITS.valueBytes;
  const detail = `The value takes ${bytes} bytes, and a note ${most} at most: keep the data elsewhere, and note where.`;
  throw new Refusal(problem("too-large", 413, "The note is too large", detail, { max_bytes: most }));
}

const unknown = (key: string) => notFound(`No note "${key}". List the notes: GET /v1/{eco}/notes`);

/** Whoever may read notes gets the present one, and needs no other call to try again. */
function stale(c: Context<ApiEnv>, key: string, now: NoteText | null): Refusal {
  const reads = authorise(c.get("grant"), "tasks:read", c.req.param("eco"), Date.now()) === "allowed";
  const tag = now === null ? undefined : tagOf(now.version);
  const detail =
    tag === undefined
      ? `There is no note "${key}". Make it with If-None-Match: *.`
      : `The note "${key}" has the ETag ${tag} now. Change the present value, and send that tag as If-Match.`;
  const note = now === null ? null : (JSON.parse(now.json) as unknown);
  const shown = reads ? { note } : {};
  return new Refusal(
    problem("note-changed", 412, "The note has changed", detail, shown),
    tag === undefined ? {} : { ETag: tag },
  );
}

const FULL: Readonly<Record<Full, string>> = {
  notes: `An ecosystem has ${NOTE_LIMITS.notes} notes at most: delete some, or give them a ttl_ms.`,
  bytes: `The notes of an ecosystem have ${NOTE_LIMITS.bytes} bytes at most: delete some, or make them smaller.`,
  ofTask: `A task has ${NOTE_LIMITS.ofTask} notes at most: put what belongs together into one.`,
};

const full = (reason: Full) => new Refusal(problem("too-many-notes", 409, "Too many notes", FULL[reason]));
