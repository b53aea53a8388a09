import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, readdirSync, readSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type FileRecord, MANIFEST, readManifest } from "./manifest.ts";

const CHUNK_BYTES = 1 << 20;
/** Lines of one report of SQLite that are shown. */
const SHOWN = 3;

/**
 * Reads each database of the copy as SQLite would after a crash, checks every page of it, and puts what its log holds into
 * the database itself. Afterwards the files change no more.
 *
 * @throws an error that names the first database that is damaged
 */
export function readBack(directory: string): number {
  const databases = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".sqlite"),
  );
  for (const name of databases) {
    const file = join(directory, name);
    const database = new DatabaseSync(file);
    try {
      const report = database.prepare("PRAGMA integrity_check").all();
      const problems = report.map((row) => String(row.integrity_check)).filter((text) => text !== "ok");
      if (problems.length > 0) throw new Error(problems.slice(0, SHOWN).join("; "));
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (error) {
      throw new Error(`${name} cannot be read back: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      database.close();
    }
    for (const end of ["-wal", "-shm"]) if (!isFilled(`${file}${end}`)) rmSync(`${file}${end}`, { force: true });
  }
  return databases.length;
}

const isFilled = (file: string) => (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;

/** Every file below `directory` but the list itself, each written down to the disk. */
export function recordFiles(directory: string): FileRecord[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path !== join(directory, MANIFEST))
    .sort()
    .map((path) => ({ path: path.slice(directory.length + 1), ...digestOf(path, true) }));
}

/** @returns what is wrong with a backup, a line each; none: it is as it was made */
export function differences(directory: string): string[] {
  const { files } = readManifest(directory);
  const problems: string[] = [];
  for (const { path, bytes, sha256 } of files) {
    const file = join(directory, path);
    if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) problems.push(`${path} is missing`);
    else {
      const found = digestOf(file, false);
      if (found.bytes !== bytes || found.sha256 !== sha256) problems.push(`${path} has changed since the backup`);
    }
  }
  return problems;
}

function digestOf(file: string, flush: boolean): { readonly bytes: number; readonly sha256: string } {
  const hash = createHash("sha256");
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  const handle = openSync(file, flush ? "r+" : "r");
  try {
    let bytes = 0;
    for (;;) {
      const read = readSync(handle, chunk);
      if (read === 0) break;
      hash.update(chunk.subarray(0, read));
      bytes += read;
    }
    if (flush) fsyncSync(handle);
    return { bytes, sha256: hash.digest("hex") };
  } finally {
    closeSync(handle);
  }
}
