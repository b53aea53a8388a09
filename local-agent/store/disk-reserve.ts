import { closeSync, openSync, rmSync, statfsSync, statSync, writeSync } from "node:fs";

/** As much as the spool needs to delete what the edge has confirmed, and to start after it was killed. */
const BYTES = 4 * 1024 * 1024;
/** The reserve is a small part of the disk, and is made only where it leaves room for others. */
const SHARE = 1 / 16;
const ROOM = 4;
const BLOCK = 256 * 1024;
const RETRY_MS = 60_000;

/**
 * A file of zeros on the disk of the state directory. On a full disk even deleting needs space: SQLite writes what changes
 * beside the old pages first. An agent that finds its disk full gives the file up, and can start and drain its spool.
 */
export class DiskReserve {
  readonly #path: string;
  #triedMs = Number.NEGATIVE_INFINITY;

  constructor(path: string) {
    this.#path = path;
  }

  /** @returns whether there was a reserve, whose space is free now */
  release(): boolean {
    try {
      const { size } = statSync(this.#path);
      rmSync(this.#path, { force: true });
      return size > 0;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
      throw error;
    }
  }

  /** Makes the reserve, unless it is there or the disk has no room for it. Tries once a minute at most. */
  restore(nowMs = performance.now()): void {
    if (nowMs - this.#triedMs < RETRY_MS) return;
    this.#triedMs = nowMs;
    const bytes = this.#wantedBytes();
    if (bytes === 0) return;
    try {
      const file = openSync(this.#path, "w", 0o600);
      try {
        // Without the sync: after a loss of power the next start makes it again.
        for (let done = 0; done < bytes; done += BLOCK) writeSync(file, Buffer.alloc(Math.min(BLOCK, bytes - done)));
      } finally {
        closeSync(file);
      }
    } catch {
      // The disk has become full meanwhile: half a reserve helps nobody.
      rmSync(this.#path, { force: true });
    }
  }

  #wantedBytes(): number {
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    const { blocks, bavail, bsize } = statfsSync(this.#path.slice(0, this.#path.lastIndexOf("/")) || "/");
    const wanted = Math.min(BYTES, Math.floor(blocks * bsize * SHARE));
    return size >= wanted || bavail * bsize < wanted * ROOM ? 0 : wanted;
  }
}
