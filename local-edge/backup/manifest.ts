import { readFileSync } from "node:fs";
import { join, normalize } from "node:path";
import { z } from "zod";

/** The list of what a backup consists of, beside it. */
export const MANIFEST = "backup.json";

/** A file of the backup. Its path is relative to the backup, and does not lead out of it. */
const FileRecord = z.object({
  path: z.string().refine((path) => path === normalize(path) && !/^(\/|\.\.(\/|$))/.test(path), {
    error: "leads out of the backup",
  }),
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "is no SHA-256"),
});
export type FileRecord = Readonly<z.infer<typeof FileRecord>>;

const Manifest = z.object({
  format: z.literal(1),
  /** The moment at which all of it was so. */
  at: z.string(),
  version: z.string(),
  /** How long the edge stood still for it, in milliseconds; 0: no edge ran. */
  pause_ms: z.number(),
  files: z.array(FileRecord).readonly(),
});
export type Manifest = Readonly<z.infer<typeof Manifest>>;

/** @throws an error that says what is wrong with the list */
export function readManifest(directory: string): Manifest {
  const document = readDocument(directory);
  const { success, data: other } = z.object({ format: z.unknown() }).safeParse(document);
  if (success && other.format !== undefined && other.format !== 1)
    throw new Error(
      `${directory} is a backup of another format (${String(other.format)}): use the release that made it`,
    );
  const manifest = Manifest.safeParse(document);
  if (manifest.success) return manifest.data;
  const [issue] = manifest.error.issues;
  throw damaged(directory, `${issue?.path.join(".") || "the document"}: ${issue?.message}`);
}

function readDocument(directory: string): unknown {
  let text: string;
  try {
    text = readFileSync(join(directory, MANIFEST), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new Error(
      `${directory} is no backup: it has no ${MANIFEST}. Name a directory that "ganglion-edge backup" made.`,
    );
  }
  try {
    return JSON.parse(text);
  } catch {
    throw damaged(directory, "it is not JSON");
  }
}

const damaged = (directory: string, reason: string) =>
  new Error(`The list of the backup in ${directory} (${MANIFEST}) is damaged: ${reason}. Use another backup.`);
