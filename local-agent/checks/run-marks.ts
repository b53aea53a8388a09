import { mkdir, readdir, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ignoreMissing } from "../base/files/ignore-missing.ts";
import { endLeftovers } from "../base/process/leftovers.ts";

const MARK = /^check\.[0-9a-f]{16}$/;

/** A file for each run under way, so that an agent that was killed finds the processes that it left running. */
export class RunMarks {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Ends the processes of runs that a killed agent has left. @returns how many process groups were ended */
  async endLeft(): Promise<number> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const left = (await readdir(this.#directory)).filter((name) => MARK.test(name));
    const ended = await endLeftovers(left.map((run) => ({ run, leader: undefined, escaped: true })));
    for (const run of left) await this.clear(run);
    return ended;
  }

  /** Before the command starts: a crash after that finds its processes by the mark in their environment. */
  set(run: string): Promise<void> {
    return writeFile(join(this.#directory, run), "", { mode: 0o600 });
  }

  async clear(run: string): Promise<void> {
    await unlink(join(this.#directory, run)).catch(ignoreMissing);
  }
}
