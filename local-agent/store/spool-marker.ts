import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

/** How far a database came, as somebody else than the database remembers it. */
export interface Mark {
  /** Identity of the database: the epoch that it was made with. */
  readonly database: string;
  /** Last number of each lane. */
  readonly bus: number;
  readonly local: number;
}

const VERSION = "ganglion-spool 1";
const LENGTH = 160;

/**
 * A small file beside the database that says how far its spool came, with a checksum. An emptied database, or one whose
 * write-ahead log was cut, is sound for SQLite, which then begins anew or goes on from an earlier state without a word. By
 * this file the agent notices.
 *
 * The file is written after a commit, and not synced: after a loss of power it may know less than the database, which is
 * harmless. More than the database it never knows, unless the database has lost something.
 */
export class SpoolMarker {
  /** The mark that an earlier process left; `unreadable`: its checksum is wrong. */
  readonly earlier: Mark | "unreadable" | undefined;
  readonly #file: number;
  #isOpen = true;
  #waiting: Mark | undefined;

  constructor(path: string) {
    this.earlier = readMark(path);
    // An existing file is written in place, so that its blocks stay its own.
    this.#file = openSync(path, this.earlier === undefined ? "w" : "r+", 0o600);
  }

  /** Writes the mark soon: once for all commits of this turn of the event loop. */
  write(mark: Mark): void {
    if (this.#waiting === undefined) setImmediate(() => this.flush());
    this.#waiting = mark;
  }

  /** Writes what waits. */
  flush(): void {
    const mark = this.#waiting;
    this.#waiting = undefined;
    if (mark === undefined || !this.#isOpen) return;
    try {
      writeSync(this.#file, textOf(mark), 0);
    } catch {
      // A mark that cannot be written knows less than the database, which is harmless. The next one is tried again.
    }
  }

  close(): void {
    this.flush();
    if (this.#isOpen) closeSync(this.#file);
    this.#isOpen = false;
  }
}

/**
 * What a spool lacks that an earlier process has marked, for people.
 *
 * @param isNew - the database of before was found damaged and moved away, which is told already
 */
export function missingSince(earlier: SpoolMarker["earlier"], now: Mark, isNew: boolean): string | undefined {
  if (earlier === undefined || earlier === "unreadable") return undefined;
  if (earlier.database !== now.database)
    return isNew
      ? undefined
      : "the state database is not the one of before: signals in that one which the edge had not confirmed are lost";
  const count = Math.max(0, earlier.bus - now.bus) + Math.max(0, earlier.local - now.local);
  return count === 0
    ? undefined
    : `the state database has lost its last changes: ${count} signals that were taken in are missing from the spool`;
}

function textOf({ database, bus, local }: Mark): string {
  const body = `${VERSION} ${database} ${bus} ${local}`;
  return `${body} ${checksum(body)}`.padEnd(LENGTH - 1).concat("\n");
}

function readMark(path: string): SpoolMarker["earlier"] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const found = /^(ganglion-spool 1 ([0-9a-f]+) (\d+) (\d+)) ([0-9a-f]{16})\s*$/.exec(text);
  const [, body = "", database = "", bus, local, sum] = found ?? [];
  if (sum !== checksum(body)) return "unreadable";
  return { database, bus: Number(bus), local: Number(local) };
}

function checksum(body: string): string {
  return createHash("sha256").update(body).digest("hex").slice(0, 16);
}
