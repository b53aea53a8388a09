import { readFile, stat } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { ifThere } from "../../../base/files/replace-file.ts";
import { replaceUnchanged } from "../../../base/files/replace-unchanged.ts";
import { addModule, type CapabilitiesChange, type ModuleEntry } from "./capabilities.ts";

/** How long a file must not change before it counts as complete, and how often to wait for that. */
const SETTLE_MS = 100;
const SETTLE_ROUNDS = 20;

/**
 * The YAML file that lists the modules. People and other programs write to it as well, so each change replaces exactly
 * the text from which it was made.
 */
export class CapabilitiesFile {
  readonly path: string;
  readonly #key: readonly string[];
  readonly #backup: string;

  constructor(path: string, key: readonly string[]) {
    this.path = path;
    this.#key = key;
    this.#backup = `${path}.bak`;
  }

  /**
   * A program that writes the file in place empties it first, so a file that was written a moment ago is read only when
   * it has not changed for a while.
   *
   * @returns `null` when there is no file
   */
  async read(): Promise<string | null> {
    for (let round = 0; round < SETTLE_ROUNDS; round++) {
      const before = await ifThere(stat(this.path));
      if (before === undefined || Math.abs(Date.now() - before.mtimeMs) > SETTLE_MS) break;
      await pause(SETTLE_MS);
    }
    return this.#readNow();
  }

  change(text: string | null, entry: ModuleEntry): CapabilitiesChange {
    return addModule(text ?? "", this.#key, entry);
  }

  /** @returns `false`: another program wrote the file after `before` was read, and its text stays */
  async replace(before: string | null, text: string): Promise<boolean> {
    return (await replaceUnchanged(this.path, before, text, { backup: this.#backup })) === "replaced";
  }

  /**
   * A program that had the old file open while it was replaced has written into the backup. Its text goes back into
   * place.
   *
   * @returns whether that happened
   */
  async recoverLateWrite(before: string | null, ours: string): Promise<boolean> {
    if (before === null) return false;
    const old = await ifThere(readFile(this.#backup, "utf8"));
    if (old === undefined || old === before) return false;
    return (await replaceUnchanged(this.path, ours, old)) === "replaced";
  }

  /** Restores `before`, unless another program has changed the file since. @returns whether the file is as it was */
  async restore(before: string | null, entry: ModuleEntry): Promise<boolean> {
    const now = await this.#readNow();
    const ours = this.change(before, entry);
    const expected = ours.kind === "changed" ? ours.text : before;
    return now === expected && (await replaceUnchanged(this.path, expected, before)) === "replaced";
  }

  async #readNow(): Promise<string | null> {
    return (await ifThere(readFile(this.path, "utf8"))) ?? null;
  }
}
