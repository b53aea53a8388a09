import { constants, copyFileSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/** What SQLite makes anew at each start: it holds nothing. */
const NOT_COPIED = /-shm$/;
/**
 * A file whose last change is this young when it is copied, in milliseconds, counts as changed in the next round: a change
 * in the same tick of the file system's clock would not show in its time.
 */
const YOUNG_MS = 2_000;

interface Copied {
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ino: bigint;
  readonly atMs: number;
}

export interface Round {
  readonly files: number;
  readonly bytes: number;
  readonly ms: number;
}

/** There is more to copy than may be. */
export class TooMuch extends Error {
  readonly bytes: number;
  constructor(bytes: number) {
    super(`${bytes} bytes have changed meanwhile`);
    this.bytes = bytes;
  }
}

/** A copy of a directory that is brought up to date in rounds: each copies the files that have changed since the one before. */
export class TreeCopy {
  readonly #from: string;
  readonly #to: string;
  readonly #copied = new Map<string, Copied>();

  constructor(from: string, to: string) {
    this.#from = from;
    this.#to = to;
  }

  /**
   * @param mostBytes - how much may be copied
   * @throws TooMuch before anything is copied
   */
  round(mostBytes = Number.POSITIVE_INFINITY): Round {
    const startedMs = performance.now();
    const changed: (Copied & { readonly file: string })[] = [];
    const there = new Set<string>();
    for (const file of filesOf(this.#from)) {
      const now = look(join(this.#from, file));
      if (now === undefined) continue;
      there.add(file);
      if (this.#isChanged(file, now)) changed.push({ file, ...now });
    }
    const bytes = changed.reduce((sum, { size }) => sum + Number(size), 0);
    if (bytes > mostBytes) throw new TooMuch(bytes);
    for (const { file, ...now } of changed) this.#copy(file, now);
    for (const file of this.#copied.keys()) {
      if (there.has(file)) continue;
      rmSync(join(this.#to, file), { force: true });
      this.#copied.delete(file);
    }
    return { files: changed.length, bytes, ms: performance.now() - startedMs };
  }

  #isChanged(file: string, now: Copied): boolean {
    const before = this.#copied.get(file);
    if (before === undefined || before.size !== now.size || before.ino !== now.ino) return true;
    return before.mtimeNs !== now.mtimeNs || before.atMs - Number(before.mtimeNs / 1_000_000n) < YOUNG_MS;
  }

  #copy(file: string, now: Copied): void {
    const target = join(this.#to, file);
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    try {
      copyFileSync(join(this.#from, file), target, constants.COPYFILE_FICLONE);
      this.#copied.set(file, now);
    } catch (error) {
      // It went between the look and the copy; the next round sees that.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
}

function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !NOT_COPIED.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
}

/** Before the copy, so that what changes during the copy shows. */
function look(path: string): Copied | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined
    ? undefined
    : { size: found.size, mtimeNs: found.mtimeNs, ino: found.ino, atMs: Date.now() };
}
