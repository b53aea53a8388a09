import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { ExpectedError } from "../base/service.ts";

export type { DatabaseSync, StatementSync };

/**
 * One piece of a group commit. It runs inside the transaction and must not change memory. The function that it returns
 * runs after the commit and updates memory, which must never be ahead of the disk.
 */
export type Write<T> = () => () => T;

interface Waiting {
  readonly weight: number;
  readonly write: Write<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

/** Rows in one transaction. SQLite is called synchronously, so this limits how long the event loop is blocked. */
const MAX_WEIGHT = 1_000;
const DATABASE = "agent.db";

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

  /** Path to which a corrupted file was moved; `undefined` when the file was sound. */
  readonly movedAside: string | undefined;
  #corrupted: ((error: Error) => void) | undefined;

  private constructor(sql: DatabaseSync, movedAside: string | undefined) {
    this.sql = sql;
    this.movedAside = movedAside;
  }

  /**
   * A corrupted file is renamed, and a new one is created. The new one has a new producer epoch, so that its numbers are
   * not taken for those that the edge has seen.
   *
   * @throws ExpectedError when another process holds the directory, or it cannot be written
   */
  static open(stateDir: string): StateDatabase {
    const pidFile = join(stateDir, "agent.pid");
    try {
      mkdirSync(stateDir, { recursive: true, mode: 0o700 });
      let sql = openFile(stateDir);
      const movedAside = sql === undefined ? moveAside(stateDir) : undefined;
      sql ??= openFile(stateDir);
      if (sql === undefined) throw new Error("a newly created database is corrupted: check the disk");
      writeFileSync(pidFile, `${process.pid}\n`);
      return new StateDatabase(sql, movedAside);
    } catch (error) {
      throw explain(error, stateDir, pidFile);
    }
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
  commit<T>(weight: number, write: Write<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ weight, write, resolve: resolve as (value: unknown) => void, reject });
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
      for (const { write, resolve, reject } of group) {
        settle(() => this.#transaction([{ write }])[0]?.(), resolve, reject);
      }
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
function openFile(stateDir: string): DatabaseSync | undefined {
  const sql = new DatabaseSync(join(stateDir, DATABASE));
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

/** @returns the new path */
function moveAside(stateDir: string): string {
  const movedTo = join(stateDir, `${DATABASE}.corrupted-${new Date().toISOString().replaceAll(":", "-")}`);
  // The write-ahead log first: after a crash in between, it must not be read into the next database.
  for (const suffix of ["-wal", "-shm", ""]) {
    const path = join(stateDir, `${DATABASE}${suffix}`);
    if (existsSync(path)) renameSync(path, `${movedTo}${suffix}`);
  }
  return movedTo;
}

function isCorruption(error: unknown): boolean {
  const { errcode } = error as { errcode?: number };
  const SQLITE_CORRUPT = 11;
  const SQLITE_NOTADB = 26;
  return errcode !== undefined && [SQLITE_CORRUPT, SQLITE_NOTADB].includes(errcode % 256);
}

function explain(error: unknown, stateDir: string, pidFile: string): unknown {
  const { message, code, errcode } = error as NodeJS.ErrnoException & { errcode?: number };
  const SQLITE_BUSY = 5;
  const SQLITE_LOCKED = 6;
  if (errcode !== undefined && (errcode % 256 === SQLITE_BUSY || errcode % 256 === SQLITE_LOCKED)) {
    return new ExpectedError(
      `Another agent${holder(pidFile)} runs in ${stateDir}: stop it, or set GANGLION_STATE_DIR to a directory of its own`,
    );
  }
  if (code !== undefined || errcode !== undefined) {
    return new ExpectedError(
      `The state directory ${stateDir} cannot be used (${message}): make it writable, or set GANGLION_STATE_DIR`,
    );
  }
  return error;
}

function holder(pidFile: string): string {
  try {
    return ` (process ${readFileSync(pidFile, "utf8").trim()})`;
  } catch {
    // Only the lock decides; the file merely makes the message clearer.
    return "";
  }
}
