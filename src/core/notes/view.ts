import { utf8Bytes } from "../signals/limits.ts";
import { formatTimestamp } from "../signals/timestamp.ts";
import { NOTE_LIMITS } from "./limits.ts";
import type { StoredNote } from "./note.ts";

/** A note as JSON text. Its value passes through as it was stored. */
export function noteJson({ key, valueJson, version, createdMs, changedMs, expiresMs, by }: StoredNote): string {
  const head = JSON.stringify({
    key,
    version,
    created_at: formatTimestamp(createdMs),
    changed_at: formatTimestamp(changedMs),
    expires_at: expiresMs === null ? null : formatTimestamp(expiresMs),
    by,
  });
  return `${head.slice(0, -1)},"value":${valueJson}}`;
}

/**
 * The notes of a task as fields of the task that a worker gets, as JSON text without braces; `undefined`: there are none.
 * The last changes are the most useful ones: what has no room is the oldest.
 */
export function handedFields(notes: readonly StoredNote[]): string | undefined {
  if (notes.length === 0) return undefined;
  const given: string[] = [];
  let bytes = 0;
  for (const note of [...notes].sort((a, b) => b.version - a.version)) {
    const text = noteJson(note);
    bytes += utf8Bytes(text);
    if (bytes > NOTE_LIMITS.handedBytes) break;
    given.push(text);
  }
  const leftOut = notes.length - given.length;
  return `"notes":[${given.join(",")}]${leftOut === 0 ? "" : `,"notes_left_out":${leftOut}`}`;
}
