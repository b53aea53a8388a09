import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { constants, open } from "node:fs/promises";

/** What {@link readDroppedFile} found under a name of a watched directory. */
export type DroppedFile =
  | {
      readonly kind: "json";
      readonly value: unknown;
      readonly version: FileVersion;
      /** The same for one version of one file under one name: by it the spool knows that the file was taken. */
      readonly identity: string;
    }
  /** The content is not JSON now. The writer may not have finished. */
  | { readonly kind: "not_json"; readonly reason: string; readonly version: FileVersion }
  /** The file changed while it was read. */
  | { readonly kind: "changing" }
  | { readonly kind: "unreadable"; readonly reason: string }
  /** Another program took the file away, or the name belongs to a directory. */
  | { readonly kind: "gone" };

/** Tells one state of one file from every other state and file; a rename keeps it. */
export type FileVersion = string;

export interface DroppedFileLimits {
  /** What the file should hold, with its article, for the reason of a refusal: "an intent". */
  readonly content: string;
  readonly maxBytes: number;
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
  { content, maxBytes }: DroppedFileLimits,
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
    return parse(bytes, fileVersionOf(after), name);
  } finally {
    await file.close();
  }
}

function parse(bytes: Buffer, version: FileVersion, name: string): DroppedFile {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    const digest = createHash("sha256").update(bytes).digest("base64url");
    return { kind: "json", value, version, identity: `intent:${name}:${version}:${digest}` };
  } catch (error) {
    const reason = bytes.length === 0 ? "the file is empty" : `the file is not JSON: ${(error as Error).message}`;
    return { kind: "not_json", reason, version };
  }
}
