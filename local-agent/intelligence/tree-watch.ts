import { type FSWatcher, watch } from "node:fs";
import { join } from "node:path";

export interface TreeWatchOptions {
  /** Called with the path of what may have changed, often more than once. */
  readonly onChange: (path: string) => void;
  /** Called where events may have been lost below a directory: only reading it again shows what happened. */
  readonly onLost: (directory: string) => void;
  /** Called once when the kernel gives no more watches: the tree is then read again from time to time alone. */
  readonly onExhausted: (error: Error) => void;
}

/** Watches directories by inotify, one watch each. Which directories there are, the reader of the tree says. */
export class TreeWatch {
  readonly #options: TreeWatchOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  #exhausted = false;

  constructor(options: TreeWatchOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#watchers.size;
  }

  /** Call before the directory is read: what appears in between is reported twice rather than never. */
  add(directory: string): void {
    if (this.#watchers.has(directory)) return;
    const { onChange, onLost, onExhausted } = this.#options;
    try {
      const watcher = watch(directory, { persistent: false }, (_, name) => {
        if (name === null) onLost(directory);
        else onChange(join(directory, name));
      });
      watcher.on("error", () => {
        this.remove(directory);
        onLost(directory);
      });
      this.#watchers.set(directory, watcher);
      this.#exhausted = false;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // It went away meanwhile: its parent's watch tells that.
      if (code === "ENOENT" || code === "ENOTDIR" || this.#exhausted) return;
      this.#exhausted = true;
      onExhausted(error as Error);
    }
  }

  remove(directory: string): void {
    this.#watchers.get(directory)?.close();
    this.#watchers.delete(directory);
  }

  /** Ends the watches of a directory and of all below it. */
  removeBelow(directory: string): void {
    for (const path of this.#watchers.keys())
      if (path === directory || path.startsWith(`${directory}/`)) this.remove(path);
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }
}
