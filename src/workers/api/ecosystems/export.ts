import * as z from "zod";
import {
  EXPORT_FORMAT,
  type ExportEnd,
  type ExportHeader,
  type ExportPage,
} from "../../../core/ecosystems/document.ts";
import { problem } from "../../../core/problem/problem.ts";
import type { Environment } from "../../bindings/environment.ts";
import { directory } from "../../bindings/objects.ts";
import { invalid, Refusal } from "../http/refusal.ts";
import { extend, partsOf, resume, suspend } from "./parts.ts";

/** Where the next page begins. */
const Cursor = z.strictObject({
  id: z.string(),
  /** Number of the object, and the place inside of it. */
  part: z.int(),
  place: z.strictObject({ table: z.string(), key: z.array(z.union([z.string(), z.number()])).nullable() }).nullable(),
  withSecrets: z.boolean(),
  lines: z.int(),
});
type Cursor = z.infer<typeof Cursor>;

/**
 * A page of an export. All objects stand still from the first page to the last, so the document is the ecosystem at one
 * moment; who stops asking lets the objects go on after a minute.
 */
export async function exportPage(
  env: Environment,
  eco: string,
  after: string | undefined,
  withSecrets: boolean,
): Promise<z.infer<typeof ExportPage>> {
  const parts = await partsOf(env, eco);
  const at = after === undefined ? undefined : readCursor(after);
  const id = at?.id ?? crypto.randomUUID();
  if (at === undefined) await suspend(parts, id);
  const part = parts[at?.part ?? 0];
  if (part === undefined) throw changed();
  const place = at?.place ?? null;
  const object = part.name;
  const page = await part.transfer({ do: "copy", id, object, place, withSecrets: at?.withSecrets ?? withSecrets });
  if (!("lines" in page)) {
    await resume(parts);
    throw changed();
  }
  const lines = at === undefined ? [await header(env, eco, withSecrets), ...page.lines] : [...page.lines];
  const count = (at?.lines ?? 0) + lines.length;
  const next = page.next === null ? (at?.part ?? 0) + 1 : (at?.part ?? 0);
  if (next < parts.length) {
    await extend(parts, id);
    const cursor: Cursor = {
      id,
      part: next,
      place: page.next,
      withSecrets: at?.withSecrets ?? withSecrets,
      lines: count,
    };
    return { lines, next: writeCursor(cursor) };
  }
  const watched = (await directory(env).watched()).includes(eco);
  const end: z.infer<typeof ExportEnd> = {
    complete: true,
    objects: parts.map(({ name }) => name),
    watched,
    lines: count,
  };
  await resume(parts);
  return { lines: [...lines, JSON.stringify(end)], next: null };
}

async function header(env: Environment, ecosystem: string, withSecrets: boolean): Promise<string> {
  const queues = await directory(env).queues(ecosystem);
  const line: z.infer<typeof ExportHeader> = {
    ganglion_export: EXPORT_FORMAT,
    ecosystem,
    exported_at: new Date().toISOString(),
    with_secrets: withSecrets,
    queues: Object.fromEntries(queues.map(({ name, created_at }) => [name, created_at])),
  };
  return JSON.stringify(line);
}

const changed = () =>
  new Refusal(
    problem(
      "export-interrupted",
      409,
      "The export was interrupted",
      "The ecosystem went on meanwhile: export it anew.",
    ),
  );

const writeCursor = (cursor: Cursor) => encodeURIComponent(JSON.stringify(cursor));

function readCursor(text: string): Cursor {
  try {
    return Cursor.parse(JSON.parse(decodeURIComponent(text)));
  } catch {
    throw invalid("invalid-query", "Invalid query", [
      { pointer: "/query/after", message: "give the `next` of the page before" },
    ]);
  }
}
