import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { DatabaseFiles } from "./database-files.ts";
import { DiskReserve } from "./disk-reserve.ts";
import { explainOpenError, STOPPING } from "./explain-open-error.ts";
import { SpoolMarker } from "./spool-marker.ts";

export type { DatabaseSync, StatementSync };

/**
 * One piece of a group commit. It runs inside the transaction and must not change memory. The function that it returns
 * runs after the commit and updates memory, which must never be ahead of the disk.
 */
export type Write<T> = () => () => T;

export interface CommitOptions {
  /**
   * Whether the write makes room, as the deletion of what the edge has confirmed does. On a full disk it may use the
   * reserve, which other writes may not.
   */
  readonly frees?: boolean;
}

interface Waiting extends CommitOptions {
  readonly weight: number;
  readonly write: Write<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

/** Rows in one transaction. SQLite is called synchronously, so this limits how long the event loop is blocked. */
const MAX_WEIGHT = 1_000;

const EMPTIED = "the state database was emptied or removed: signals that the edge had not confirmed are lost";

interface Opened {
  readonly movedAside: string | undefined;
  readonly marker: SpoolMarker;
  readonly neededReserve: boolean;
  readonly damage: string | undefined;
  readonly files: DatabaseFiles;
  readonly pidFile: string;
  readonly reserve: DiskReserve;
}

/**
 * The agent's SQLite file, held by one process at a time. All writes of one turn of the event loop are committed
 * together, because each commit costs an fsync, whatever its size.
 *
 * The lock is the one that SQLite keeps on the file (`locking_mode=EXCLUSIVE`). The kernel releases it when the process
 * is killed, so a stale lock cannot remain.
 */
export class StateDatabase {
  readonly sql: DatabaseSync;
  #waiting: Waiting[] = [];
  #scheduled = false;
  #idle: (() => void)[] = [];

  /** Path to which a damaged file was moved; `undefined` when the file was sound. */
  readonly movedAside: string | undefined;
  /** Says how far the spool of an earlier process came, and remembers how far this one comes. */
  readonly marker: SpoolMarker;
  /** Whether the disk was so full that the start needed the reserve. */
  readonly neededReserve: boolean;
  readonly #files: DatabaseFiles;
  readonly #pidFile: string;
  readonly #reserve: DiskReserve;
  #damage: string | undefined;
  #corrupted: ((error: Error) => void) | undefined;

  private constructor(sql: DatabaseSync, opened: Opened) {
    this.sql = sql;
    this.movedAside = opened.movedAside;
    this.marker = opened.marker;
    this.neededReserve = opened.neededReserve;
    this.#damage = opened.damage;
    this.#files = opened.files;
    this.#pidFile = opened.pidFile;
    this.#reserve = opened.reserve;
  }

  /**
   * A damaged file is renamed, and a new one is created. The new one has a new producer epoch, so that its numbers are
   * not taken for those that the edge has seen.
   *
   * @throws ExpectedError when another process holds the directory, or it cannot be written
   */
  static open(stateDir: string): StateDatabase {
    const pidFile = join(stateDir, "agent.pid");
    try {
      mkdirSync(stateDir, { recursive: true, mode: 0o700 });
      const reserve = new DiskReserve(join(stateDir, "reserve"));
      try {
        return StateDatabase.#open(stateDir, pidFile, reserve, false);
      } catch (error) {
        // What was stored has to be sent, and that needs a start.
        if (!isFull(error) || !reserve.release()) throw error;
        return StateDatabase.#open(stateDir, pidFile, reserve, true);
      }
    } catch (error) {
      throw explainOpenError(error, stateDir, pidFile);
    }
  }

  static #open(stateDir: string, pidFile: string, reserve: DiskReserve, neededReserve: boolean): StateDatabase {
    const files = new DatabaseFiles(stateDir);
    const marker = new SpoolMarker(join(stateDir, "agent.mark"));
    let sql: DatabaseSync | undefined;
    try {
      // A whole mark is written only when there is a database.
      const emptied = typeof marker.earlier === "object" && files.isEmpty;
      let movedAside = emptied ? files.moveAside() : undefined;
      if (marker.earlier !== undefined) files.copyLog();
      sql = openFile(files.path);
      if (sql === undefined) movedAside = files.moveAside();
      sql ??= openFile(files.path);
      if (sql === undefined) throw new Error("a newly created database is corrupted: check the disk");
      requireRoom(sql);
      writeFileSync(pidFile, `${process.pid}\n`);
      if (!neededReserve) reserve.restore();
      const damage = emptied ? EMPTIED : undefined;
      return new StateDatabase(sql, { movedAside, marker, neededReserve, damage, files, pidFile, reserve });
    } catch (error) {
      sql?.close();
      marker.close();
      files.endCopy(false);
      throw error;
    }
  }

  /** Lets an agent that is started meanwhile wait for the end of this one, instead of giving up. */
  announceStop(): void {
    try {
      writeFileSync(this.#pidFile, `${process.pid} ${STOPPING}\n`);
    } catch {
      // On a full disk the other agent gives up earlier. The stop itself must not depend on it.
    }
  }

  /** What the database has lost although it is sound, for people; `undefined`: nothing. */
  get damage(): string | undefined {
    return this.#damage;
  }

  /** The spool has compared itself with the marker. @param damage - what is missing */
  checked(damage: string | undefined): void {
    const kept = this.#files.endCopy(damage !== undefined);
    if (damage === undefined) return;
    this.#damage = kept === undefined ? damage : `${damage}; a copy of the write-ahead log is ${kept}`;
  }

  /** Calls `listener` when the file is found corrupted: the next {@link open} creates a new one. */
  onCorrupted(listener: (error: Error) => void): void {
    this.#corrupted = listener;
  }

  /**
   * Resolves when `write` is on the disk. When one write of a group fails, the others are committed without it.
   *
   * @param weight - approximate number of rows that it writes
   */
  commit<T>(weight: number, write: Write<T>, options: CommitOptions = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ ...options, weight, write, resolve: resolve as (value: unknown) => void, reject });
      this.#schedule();
    });
  }

  /** Resolves when no write waits to be committed. */
  async settled(): Promise<void> {
    if (this.#waiting.length > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Rows that wait for their commit: a fast source waits while they are many. */
  get backlog(): number {
    return this.#waiting.reduce((sum, { weight }) => sum + weight, 0);
  }

  close(): void {
    if (!this.sql.isOpen) return;
    while (this.#waiting.length > 0) this.#commitGroup();
    this.marker.close();
    this.sql.close();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // After the input of this turn has been read, and before the event loop sleeps.
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.sql.isOpen) return;
      this.#commitGroup();
      if (this.#waiting.length > 0) this.#schedule();
      else for (const resolve of this.#idle.splice(0)) resolve();
    });
  }

  #commitGroup(): void {
    let weight = 0;
    let count = 0;
    while (
      count < this.#waiting.length &&
      (count === 0 || weight + (this.#waiting[count]?.weight ?? 0) <= MAX_WEIGHT)
    ) {
      weight += this.#waiting[count]?.weight ?? 0;
      count++;
    }
    const group = this.#waiting.splice(0, count);
    try {
      const finish = this.#transaction(group);
      group.forEach(({ resolve, reject }, index) => {
        settle(finish[index] as () => unknown, resolve, reject);
      });
    } catch {
      // Either one write failed, or the disk: each write alone shows which.
      for (const { write, frees, resolve, reject } of group) {
        settle(() => this.#alone(write, frees === true)?.(), resolve, reject);
      }
    }
  }

  #alone(write: Write<unknown>, frees: boolean): (() => unknown) | undefined {
    try {
      const [finish] = this.#transaction([{ write }]);
      if (frees) this.#reserve.restore();
      return finish;
    } catch (error) {
      if (!frees || !isFull(error) || !this.#reserve.release()) throw error;
      return this.#transaction([{ write }])[0];
    }
  }

  #transaction(group: readonly { readonly write: Write<unknown> }[]): (() => unknown)[] {
    this.sql.exec("BEGIN IMMEDIATE");
    try {
      const finish = group.map(({ write }) => write());
      this.sql.exec("COMMIT");
      return finish;
    } catch (error) {
      // SQLite may have rolled back by itself, for example when the disk is full.
      if (this.sql.isTransaction) this.sql.exec("ROLLBACK");
      if (isCorruption(error)) {
        this.#corrupted?.(error as Error);
        this.#corrupted = undefined;
      }
      throw error;
    }
  }
}

function settle(run: () => unknown, resolve: (value: unknown) => void, reject: (reason: unknown) => void): void {
  try {
    resolve(run());
  } catch (error) {
    reject(error);
  }
}

/** @returns `undefined` when the file is no database, or a corrupted one */
function openFile(path: string): DatabaseSync | undefined {
  const sql = new DatabaseSync(path);
  try {
    sql.exec("PRAGMA locking_mode = EXCLUSIVE");
    sql.exec("PRAGMA journal_mode = WAL");
    sql.exec("PRAGMA synchronous = FULL");
    sql.exec("BEGIN EXCLUSIVE; COMMIT");
    const row = sql.prepare("PRAGMA quick_check(1)").get();
    if (row?.quick_check === "ok") return sql;
    sql.close();
    return undefined;
  } catch (error) {
    sql.close();
    if (isCorruption(error)) return undefined;
    throw error;
  }
}

/** Writes a page: what follows at a start must not find out one by one that the disk is full. @throws SQLite's error */
function requireRoom(sql: DatabaseSync): void {
  sql.exec("CREATE TABLE IF NOT EXISTS room (one INTEGER PRIMARY KEY CHECK (one = 1), started INTEGER NOT NULL)");
  sql.exec("INSERT INTO room VALUES (1, 1) ON CONFLICT DO UPDATE SET started = started + 1");
}

function isFull(error: unknown): boolean {
  const { code, errcode } = error as NodeJS.ErrnoException & { errcode?: number };
  const SQLITE_FULL = 13;
  return code === "ENOSPC" || code === "EDQUOT" || (errcode !== undefined && errcode % 256 === SQLITE_FULL);
}

function isCorruption(error: unknown): boolean {
  const { errcode } = error as { errcode?: number };
  const SQLITE_CORRUPT = 11;
  const SQLITE_NOTADB = 26;
  return errcode !== undefined && [SQLITE_CORRUPT, SQLITE_NOTADB].includes(errcode % 256);
}
