import { copyFileSync, existsSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

const DATABASE = "agent.db";

/** The files of the state database: the database, and the write-ahead log with its index. */
export class DatabaseFiles {
  readonly #stateDir: string;
  #copy: string | undefined;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
  }

  get path(): string {
    return join(this.#stateDir, DATABASE);
  }

  /** Whether the database is missing or has no content. */
  get isEmpty(): boolean {
    return (statSync(this.path, { throwIfNoEntry: false })?.size ?? 0) === 0;
  }

  /** @returns the new path; `undefined` when there was nothing to move */
  moveAside(): string | undefined {
    const movedTo = `${this.path}.corrupted-${timeText()}`;
    let moved = false;
    // The write-ahead log first: after a crash in between, it must not be read into the next database.
    for (const suffix of ["-wal", "-shm", ""]) {
      if (!existsSync(`${this.path}${suffix}`)) continue;
      renameSync(`${this.path}${suffix}`, `${movedTo}${suffix}`);
      moved = true;
    }
    return moved ? movedTo : undefined;
  }

  /**
   * Copies the write-ahead log that a killed process left. SQLite reads it up to the first damage and then overwrites it:
   * the copy has what lies behind. On a full disk there is none.
   */
  copyLog(): void {
    const log = `${this.path}-wal`;
    if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) === 0) return;
    const copy = `${this.path}.before-wal`;
    try {
      copyFileSync(log, copy);
      this.#copy = copy;
    } catch {
      rmSync(copy, { force: true });
    }
  }

  /** @param keep - whether the copy is needed. @returns its path */
  endCopy(keep: boolean): string | undefined {
    const copy = this.#copy;
    this.#copy = undefined;
    if (copy === undefined) return undefined;
    if (!keep) {
      rmSync(copy, { force: true });
      return undefined;
    }
    const kept = `${this.path}.damaged-${timeText()}-wal`;
    renameSync(copy, kept);
    return kept;
  }
}

function timeText(): string {
  return new Date().toISOString().replaceAll(":", "-");
}
