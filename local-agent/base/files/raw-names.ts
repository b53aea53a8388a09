import { randomBytes } from "node:crypto";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../log.ts";
import { escapedName, shortName } from "./file-names.ts";

export interface RawNamesOptions {
  readonly directory: string;
  /** Whether a file is to be read, by its name in which the bytes that are no text are escaped. */
  readonly wants: (shown: string) => boolean;
  /** Called with the new name of a file that was renamed. */
  readonly onRenamed: (name: string) => void;
  /** What logs about these files begin with. */
  readonly what: string;
  readonly log: Logger;
}

const NAME_BYTES = 160;

/**
 * Gives files whose names are not UTF-8 names that can be written as text: `caf%E9.1f2e3d4c5b6a.json`. No text names such
 * a file, in no signal, error or log. The content is not touched.
 */
export class RawNames {
  readonly #options: RawNamesOptions;
  /** Names that are being changed, in hex. */
  readonly #renaming = new Map<string, Promise<void>>();
  readonly #failed = new Set<string>();

  constructor(options: RawNamesOptions) {
    this.#options = options;
  }

  /** May be called often for the same file. */
  take(name: Buffer): void {
    const shown = escapedName(name);
    const key = name.toString("hex");
    if (this.#renaming.has(key) || !this.#options.wants(shown)) return;
    const work = this.#rename(name, shown).finally(() => this.#renaming.delete(key));
    this.#renaming.set(key, work);
  }

  /** Resolves when no file is being renamed. */
  async settled(): Promise<void> {
    await Promise.all(this.#renaming.values());
  }

  async #rename(name: Buffer, shown: string): Promise<void> {
    const { directory, onRenamed, what, log } = this.#options;
    const [, stem = shown, extension = ""] = /^(.*)(\.[^.]+)$/.exec(shown) ?? [];
    // A part by chance, because a rename would overwrite another file of that name.
    const fresh = `${shortName(stem, "", NAME_BYTES)}.${randomBytes(6).toString("hex")}${extension.toLowerCase()}`;
    try {
      await rename(Buffer.concat([Buffer.from(`${directory}/`), name]), join(directory, fresh));
      this.#failed.delete(shown);
      log.warn({ file: shown, renamed: fresh }, `${what}: the name of a file is not UTF-8: the file was renamed`);
      onRenamed(fresh);
    } catch (error) {
      // Another process renamed it, or its program took it back.
      if ((error as NodeJS.ErrnoException).code === "ENOENT" || this.#failed.has(shown)) return;
      this.#failed.add(shown);
      log.error(
        { err: error, file: shown },
        `${what}: a file whose name is not UTF-8 cannot be renamed, and is not read`,
      );
    }
  }
}
