import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

/** Size of a database without a table: one page, which holds the list of tables. */
const EMPTY_BYTES = 4_096;

/**
 * Deletes the files of objects that store nothing. The runtime makes a database for each object that is called, and leaves
 * it when the object deletes all it has; on Cloudflare neither remains. Belongs before the start of the runtime, which
 * alone may touch files that are open.
 */
export function removeEmptyObjects(storage: string): void {
  const objects = join(storage, "do");
  if (!existsSync(objects)) return;
  for (const folder of readdirSync(objects)) {
    for (const name of readdirSync(join(objects, folder))) {
      // The runtime's own file about the objects of a class is none of an object.
      if (!/^[0-9a-f]{64}\.sqlite$/.test(name)) continue;
      const file = join(objects, folder, name);
      if (sizeOf(file) > EMPTY_BYTES || sizeOf(`${file}-wal`) > 0) continue;
      for (const end of ["", "-shm", "-wal"]) rmSync(`${file}${end}`, { force: true });
    }
  }
}

const sizeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
