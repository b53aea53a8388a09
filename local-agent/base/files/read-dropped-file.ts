import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { constants, open } from "node:fs/promises";
import type { JsonLimits } from "../../../src/core/json/limits.ts";
import { readJsonKeeping, refusalText } from "../../../src/core/json/read-json.ts";
import type { FieldError } from "../../../src/core/problem/field-error.ts";

/** What {@link readDroppedFile} found under a name of a watched directory. */
export type DroppedFile =
  | {
      readonly kind: "json";
      readonly value: unknown;
      readonly version: FileVersion;
      /** The same for one version of one file under one name: by it the spool knows that the file was taken. */
      readonly identity: string;
      /** Numbers that JSON readers would change, and that became texts. */
      readonly keptAsText: number;
    }
  /** The content is not JSON now. The writer may not have finished. */
  | { readonly kind: "not_json"; readonly reason: string; readonly version: FileVersion }
  /** The file changed while it was read. */
  | { readonly kind: "changing" }
  | {
      readonly kind: "unreadable";
      readonly reason: string;
      /** Of JSON that breaks a limit. */
      readonly errors?: readonly FieldError[];
      readonly version?: FileVersion;
    }
  /** Another program took the file away, or the name belongs to a directory. */
  | { readonly kind: "gone" };

/** Tells one state of one file from every other state and file; a rename keeps it. */
export type FileVersion = string;

export interface DroppedFileLimits {
  /** What the file should hold, with its article, for the reason of a refusal: "an intent". */
  readonly content: string;
  readonly maxBytes: number;
  readonly json: JsonLimits;
}

export function fileVersionOf({ dev, ino, mtimeNs, size }: BigIntStats): FileVersion {
  return `${dev}:${ino}:${mtimeNs}:${size}`;
}

/**
 * Reads a JSON file that another program dropped into a watched directory. Never follows a link and never waits for a
 * pipe: names in a directory to which others write are not to be trusted.
 *
 * @param name - under which the file was dropped: part of its identity
 */
export async function readDroppedFile(
  path: string,
  name: string,
  { content, maxBytes, json }: DroppedFileLimits,
): Promise<DroppedFile> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return { kind: "gone" };
    if (code === "ELOOP" || code === "ENXIO") return { kind: "unreadable", reason: "the file is not a regular file" };
    if (code === "EACCES" || code === "EPERM") {
      return { kind: "unreadable", reason: "the agent has no permission to read the file" };
    }
    throw error;
  }
  try {
    const before = await file.stat({ bigint: true });
    if (before.isDirectory()) return { kind: "gone" };
    if (!before.isFile()) return { kind: "unreadable", reason: "the file is not a regular file" };
    if (before.size > maxBytes) {
      return { kind: "unreadable", reason: `the file has ${before.size} bytes; ${content} has ${maxBytes} at most` };
    }
    const bytes = await file.readFile();
    const after = await file.stat({ bigint: true });
    if (fileVersionOf(before) !== fileVersionOf(after) || bytes.length !== Number(after.size))
      return { kind: "changing" };
    return parse(bytes, fileVersionOf(after), name, json);
  } finally {
    await file.close();
  }
}

function parse(bytes: Buffer, version: FileVersion, name: string, limits: JsonLimits): DroppedFile {
  if (bytes.length === 0) return { kind: "not_json", reason: "the file is empty", version };
  if (!isUtf8(bytes)) return { kind: "not_json", reason: "the file is not UTF-8", version };
  const reading = readJsonKeeping(bytes.toString("utf8"), limits);
  if (reading.ok) {
    const { value, keptAsText } = reading;
    const digest = createHash("sha256").update(bytes).digest("base64url");
    return { kind: "json", value, version, identity: `intent:${name}:${version}:${digest}`, keptAsText };
  }
  const reason = `the file is refused: ${refusalText(reading)}`;
  return reading.malformed === undefined
    ? { kind: "unreadable", reason, errors: reading.errors, version }
    : { kind: "not_json", reason: `the file is not JSON: ${reading.malformed}`, version };
}
