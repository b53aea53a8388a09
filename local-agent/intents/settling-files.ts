import type { FileVersion } from "../base/files/read-dropped-file.ts";

interface Settling {
  readonly version: FileVersion;
  readonly timer: NodeJS.Timeout;
  elapsed: boolean;
}

/**
 * Files whose content is not JSON. A program that writes in place, without a rename, leaves such a file for a moment:
 * it is dead-lettered only after it has not changed for a while.
 */
export class SettlingFiles {
  readonly #settleMs: number;
  readonly #onSettled: (entry: string) => void;
  readonly #files = new Map<string, Settling>();

  /** @param onSettled - called when a file's time is over, so that it is read again */
  constructor(settleMs: number, onSettled: (entry: string) => void) {
    this.#settleMs = settleMs;
    this.#onSettled = onSettled;
  }

  /** Whether the file has kept this version for long enough. If not, `onSettled` is called when it may have. */
  hasSettled(entry: string, version: FileVersion): boolean {
    const before = this.#files.get(entry);
    if (before?.version === version) {
      if (before.elapsed) this.forget(entry);
      return before.elapsed;
    }
    this.forget(entry);
    const timer = setTimeout(() => {
      settling.elapsed = true;
      this.#onSettled(entry);
    }, this.#settleMs);
    const settling: Settling = { version, timer, elapsed: false };
    this.#files.set(entry, settling);
    return false;
  }

  forget(entry: string): void {
    clearTimeout(this.#files.get(entry)?.timer);
    this.#files.delete(entry);
  }

  clear(): void {
    for (const { timer } of this.#files.values()) clearTimeout(timer);
    this.#files.clear();
  }
}
