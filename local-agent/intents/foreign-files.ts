import { lstatSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "../base/log.ts";

/** Names that are remembered; more are counted only. */
const MAX_NAMES = 1_000;
const SHOWN = 3;

/** Files in the watched directory that are not read, because their names are not those of intents. Each is logged once. */
export class ForeignFiles {
  readonly #directory: string;
  readonly #log: Logger;
  readonly #logged = new Set<string>();
  /** Names seen since the last scan began, and those of the scan before. */
  #seen = new Set<string>();
  #last: ReadonlySet<string> = new Set();

  constructor(directory: string, log: Logger) {
    this.#directory = directory;
    this.#log = log;
  }

  note(name: string): void {
    // The kernel also reports files that are removed, and directories such as that of the dead letters.
    if (lstatSync(join(this.#directory, name), { throwIfNoEntry: false })?.isDirectory() !== false) return;
    if (this.#seen.size < MAX_NAMES) this.#seen.add(name);
    if (this.#logged.has(name) || this.#logged.size >= MAX_NAMES) return;
    this.#logged.add(name);
    this.#log.warn({ file: name }, "intents: a file is not read, because its name does not end with .json");
  }

  /** A scan has ended. @returns whether other files than before are there */
  scanned(): boolean {
    const before = this.#last;
    this.#last = this.#seen;
    this.#seen = new Set();
    return before.size !== this.#last.size || [...this.#last].some((name) => !before.has(name));
  }

  /** For people; empty when there are none. */
  get text(): string {
    const names = [...this.#last];
    if (names.length === 0) return "";
    const more = names.length > SHOWN ? `, and ${names.length - SHOWN} more` : "";
    return `; not read, because their names do not end with .json: ${names.slice(0, SHOWN).join(", ")}${more}`;
  }
}
