import { pruneDeep } from "../json/prune-deep.ts";
import { writeJson } from "../json/write-json.ts";
import type { DeadLetterRecord } from "./dead-letter.ts";
import { DEAD_LETTER_KINDS } from "./kinds.ts";

/**
 * Reads a stored record without its id, which has a column of its own.
 *
 * @throws TypeError for any other text
 */
export function readStoredRecord(id: string, text: string): DeadLetterRecord {
  const stored: unknown = JSON.parse(text);
  const record: unknown = typeof stored === "object" && stored !== null ? { id, ...stored } : stored;
  if (!isDeadLetterRecord(record)) throw new TypeError(`the stored dead letter ${id} lacks kind, error or daemon`);
  return pruneDeep(record);
}

/** The text of a record, as an outbox stores it. What failed may be too deep to be written: it is cut then. */
export function writeDeadLetterRecord(record: DeadLetterRecord): string {
  return writeJson({ ...record });
}

/** @throws TypeError where `text` is no record, as {@link DeadLetterRecord} is stored and sent */
export function readDeadLetterRecord(text: string): DeadLetterRecord {
  const stored: unknown = JSON.parse(text);
  if (!isDeadLetterRecord(stored)) throw new TypeError("the record of a dead letter lacks id, kind, error or daemon");
  return pruneDeep(stored);
}

function isDeadLetterRecord(value: unknown): value is DeadLetterRecord {
  if (typeof value !== "object" || value === null) return false;
  const { id, kind, error, daemon } = value as Record<string, unknown>;
  return (
    [id, error, daemon].every((field) => typeof field === "string") && DEAD_LETTER_KINDS.some((one) => one === kind)
  );
}

/**
 * Id of the signal that led to a dead letter whose own id does not name the signal: of a task, a webhook message, or the
 * reaction of a host.
 *
 * @returns `null` where the signal is unknown
 */
export function causeOfDeadLetter({ kind, task, webhook, signal }: DeadLetterRecord): string | null {
  if (kind === "task") return textIn(task, "cause");
  if (kind === "webhook") return textIn(webhook, "cause");
  if (kind !== "reaction") return null;
  // A task that was put into the form of a signal has no sequence number in the log, and is never a cause itself.
  return (signal as { seq?: unknown } | undefined)?.seq === 0 ? textIn(signal, "cause") : textIn(signal, "id");
}

function textIn(value: unknown, name: string): string | null {
  const found = (value as Record<string, unknown> | null | undefined)?.[name];
  return typeof found === "string" ? found : null;
}
