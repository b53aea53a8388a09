import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { constants, open } from "node:fs/promises";

/** A file of intents may not be larger: what belongs to a question fits, what does not is a mistake. */
export const MAX_INTENT_BYTES = 256 * 1024;

export type IntentFile =
  | { readonly kind: "intent"; readonly value: unknown; readonly stamp: FileVersion; readonly identity: string }
  /** Not JSON now. It may still be being written. */
  | { readonly kind: "unparsed"; readonly reason: string; readonly stamp: FileVersion }
  /** It changed while it was read. */
  | { readonly kind: "changing" }
  | { readonly kind: "unreadable"; readonly reason: string }
  /** Somebody else took it away, or it is a directory. */
  | { readonly kind: "gone" };

/** Tells one state of one file from every other; a rename keeps it. */
export type FileVersion = string;

export function fileVersionOf({ dev, ino, mtimeNs, size }: BigIntStats): FileVersion {
  return `${dev}:${ino}:${mtimeNs}:${size}`;
}

/**
 * Reads what may be an intent. Never follows a link and never waits for a pipe: names in a directory that others
 * write to are not to be trusted.
 *
 * @param name - under which it was dropped: part of the identity
 */
export async function readIntent(
  path: string,
  name: string,
  { what, maxBytes }: { readonly what: string; readonly maxBytes: number } = {
    what: "an intent",
    maxBytes: MAX_INTENT_BYTES,
  },
): Promise<IntentFile> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return { kind: "gone" };
    if (code === "ELOOP" || code === "ENXIO") return { kind: "unreadable", reason: "it is not a regular file" };
    if (code === "EACCES" || code === "EPERM") return { kind: "unreadable", reason: "the agent may not read it" };
    throw error;
  }
  try {
    const before = await file.stat({ bigint: true });
    if (before.isDirectory()) return { kind: "gone" };
    if (!before.isFile()) return { kind: "unreadable", reason: "it is not a regular file" };
    if (before.size > maxBytes) {
      return { kind: "unreadable", reason: `it has ${before.size} bytes; ${what} has ${maxBytes} at most` };
    }
    const content = await file.readFile();
    const after = await file.stat({ bigint: true });
    if (fileVersionOf(before) !== fileVersionOf(after) || content.length !== Number(after.size))
      return { kind: "changing" };
    return parse(content, fileVersionOf(after), name);
  } finally {
    await file.close();
  }
}

function parse(content: Buffer, stamp: FileVersion, name: string): IntentFile {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
    const digest = createHash("sha256").update(content).digest("base64url");
    return { kind: "intent", value, stamp, identity: `intent:${name}:${stamp}:${digest}` };
  } catch (error) {
    const reason = content.length === 0 ? "the file is empty" : `the file is not JSON: ${(error as Error).message}`;
    return { kind: "unparsed", reason, stamp };
  }
}
