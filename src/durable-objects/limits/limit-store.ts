import * as z from "zod";
import type { ClosedLimits } from "../../core/limits/closed-limits.ts";
import type { Ledger } from "../../core/limits/machine.ts";
import { LimitInput, type LimitSettings } from "../../core/limits/settings.ts";
import { LimitState, Reservation } from "../../core/limits/state.ts";
import { Notes } from "../shell/notes.ts";
import { readableOr, readableRows } from "../shell/readable-rows.ts";

/** How long a reservation is known after its end, in its limit's own time: a settlement that is sent again changes nothing. */
const KEPT_MS = 3_600_000;
/** The same of what nobody reserved here: what a client used without the edge, and what telemetry tells, may come again later. */
const KEPT_FOREIGN_MS = 24 * KEPT_MS;

/** That a limit is closed, as it was told. */
const ClosedNote = z.object({
  untilMs: z.number(),
  reason: z.string(),
  sinceMs: z.number(),
  signal: z.string().nullable(),
});
export type ClosedNote = z.infer<typeof ClosedNote>;

export interface StoredLimit {
  readonly name: string;
  readonly settings: LimitSettings;
  readonly state: LimitState;
  closed: ClosedNote | null;
}

interface Row extends Record<string, SqlStorageValue> {
  name: string;
  settings: string;
  state: string;
  closed: string | null;
}

type Note = "epoch" | "emitted" | "listed" | "version";

/**
 * The limits of an ecosystem, and who holds how much of them. Nothing of it is held in memory.
 *
 * Tables: `limits(name, due_ms, closed, settings, state)`; `reservations(id, name, held, due_ms, body)`: `due_ms`, in the limit's own
 * time, is when one expires, or is forgotten after its end; `watchers(queue, version)`: queues with tasks that name limits, and
 * the last table of closed limits that each has.
 */
export class LimitStore {
  readonly notes: Notes<Note>;
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.notes = new Notes<Note>(sql);
    sql.exec(
      `CREATE TABLE IF NOT EXISTS limits (name TEXT PRIMARY KEY, due_ms INTEGER, closed TEXT, settings TEXT NOT NULL,
         state TEXT NOT NULL) WITHOUT ROWID`,
    );
    sql.exec(
      `CREATE TABLE IF NOT EXISTS reservations (id TEXT PRIMARY KEY, name TEXT NOT NULL, held INTEGER NOT NULL,
         due_ms INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID`,
    );
    sql.exec("CREATE INDEX IF NOT EXISTS reservations_due ON reservations (name, held, due_ms)");
    sql.exec("CREATE TABLE IF NOT EXISTS watchers (queue TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID");
  }

  get count(): number {
    return this.#sql.exec<{ count: number }>("SELECT count(*) AS count FROM limits").one().count;
  }

  /** When the first of all is due; `undefined`: none is. */
  get nextDueMs(): number | undefined {
    const due = "SELECT min(due_ms) AS due FROM limits";
    return this.#sql.exec<{ due: number | null }>(due).one().due ?? undefined;
  }

  read(name: string): StoredLimit | undefined {
    return this.#read("SELECT name, settings, state, closed FROM limits WHERE name = ?", name)[0];
  }

  /** By name. */
  get all(): StoredLimit[] {
    return this.#read("SELECT name, settings, state, closed FROM limits ORDER BY name");
  }

  /** Of each limit, as it was written last: what follows from the time alone is written by the alarm of that time. */
  get phases(): string[] {
    const phase = "CASE WHEN json_valid(state) THEN json_extract(state, '$.closing.phase') END";
    const rows = this.#sql.exec<{ phase: string }>(`SELECT coalesce(${phase}, 'open') AS phase FROM limits`);
    return [...rows].map((row) => row.phase);
  }

  due(nowMs: number): StoredLimit[] {
    return this.#read("SELECT name, settings, state, closed FROM limits WHERE due_ms <= ? ORDER BY due_ms", nowMs);
  }

  write({ name, settings, state, closed }: StoredLimit, dueMs: number | undefined): void {
    this.#sql.exec(
      `INSERT INTO limits (name, due_ms, closed, settings, state) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (name) DO UPDATE SET due_ms = ?2, closed = ?3, settings = ?4, state = ?5`,
      ...[name, dueMs ?? null, closed === null ? null : JSON.stringify(closed)],
      ...[JSON.stringify(settings), JSON.stringify(state)],
    );
  }

  delete(name: string): void {
    this.#sql.exec("DELETE FROM limits WHERE name = ?", name);
    this.#sql.exec("DELETE FROM reservations WHERE name = ?", name);
  }

  /** The limit of a reservation; `undefined`: no such reservation is known. */
  limitOf(id: string): string | undefined {
    return this.#sql.exec<{ name: string }>("SELECT name FROM reservations WHERE id = ?", id).toArray()[0]?.name;
  }

  ledger(name: string): Ledger {
    const body = ({ body: text }: { body: string }) => Reservation.parse(JSON.parse(text));
    return {
      read: (id) => {
        const select = "SELECT body FROM reservations WHERE id = ? AND name = ?";
        const [row] = this.#sql.exec<{ body: string }>(select, id, name).toArray();
        return row === undefined ? undefined : readableOr("a reservation", row.body, () => body(row), undefined);
      },
      write: (reservation) => {
        const { id, state, expiresMs, atMs } = reservation;
        // One that was settled long after it expired is known for as long as any other.
        const dueMs =
          state === "held" ? expiresMs : Math.max(expiresMs, atMs) + (id.startsWith("r-") ? KEPT_MS : KEPT_FOREIGN_MS);
        this.#sql.exec(
          `INSERT INTO reservations (id, name, held, due_ms, body) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO UPDATE SET held = ?3, due_ms = ?4, body = ?5`,
          ...[id, name, state === "held" ? 1 : 0, dueMs, JSON.stringify(reservation)],
        );
      },
      expiring: (ownMs) => {
        this.#sql.exec("DELETE FROM reservations WHERE name = ? AND held = 0 AND due_ms <= ?", name, ownMs);
        const select = "SELECT id, body FROM reservations WHERE name = ? AND held = 1 AND due_ms <= ?";
        const rows = this.#sql.exec<{ id: string; body: string }>(select, name, ownMs).toArray();
        const forget = (id: string) => this.#sql.exec("DELETE FROM reservations WHERE id = ?", id);
        return [...readableRows("a reservation", rows, body, ({ id }) => forget(id))];
      },
    };
  }

  /** Shares of a limit that are held and have not expired. */
  shares(name: string, ownMs: number): Reservation[] {
    const select =
      "SELECT body FROM reservations WHERE name = ? AND held = 1 AND due_ms > ? AND json_extract(body, '$.calls') IS NOT NULL";
    const rows = this.#sql.exec<{ body: string }>(select, name, ownMs).toArray();
    return [
      ...readableRows(
        "a reservation",
        rows,
        ({ body }) => Reservation.parse(JSON.parse(body)),
        () => undefined,
      ),
    ];
  }

  /** When the next reservation of a limit expires, or the next of those that ended is forgotten, in the limit's own time. */
  nextReservationMs(name: string, held: boolean): number | undefined {
    const select = "SELECT due_ms FROM reservations WHERE name = ? AND held = ? ORDER BY due_ms LIMIT 1";
    return this.#sql.exec<{ due_ms: number }>(select, name, held ? 1 : 0).toArray()[0]?.due_ms;
  }

  get version(): number {
    return Number(this.notes.read("version") ?? "0");
  }

  /** Something was closed or opened: the table of closed limits is another. */
  countVersion(): void {
    this.notes.write("version", String(this.version + 1));
  }

  /** @param spent - of the budgets */
  closedTable(epoch: string, spent: ClosedLimits["spent"]): ClosedLimits {
    const select = "SELECT name, settings, state, closed FROM limits WHERE closed IS NOT NULL ORDER BY name";
    const closed = this.#read(select).flatMap(({ name, closed: note }) =>
      note === null ? [] : [{ name, until_ms: note.untilMs, reason: note.reason }],
    );
    return { epoch, version: this.version, closed, spent };
  }

  watch(queue: string): void {
    this.#sql.exec(
      "INSERT INTO watchers (queue, version) VALUES (?1, ?2) ON CONFLICT (queue) DO UPDATE SET version = ?2",
      queue,
      this.version,
    );
  }

  /** A queue that began to watch again since this version was sent goes on. */
  unwatch(queue: string, version: number): void {
    this.#sql.exec("DELETE FROM watchers WHERE queue = ? AND version < ?", queue, version);
  }

  /** Queues that do not have the last table. */
  behind(): string[] {
    return this.watchers(this.version);
  }

  /** Queues that are sent what is closed, by name. @param version - only those that have no table of this version */
  watchers(version = Number.MAX_SAFE_INTEGER): string[] {
    const select = "SELECT queue FROM watchers WHERE version < ? ORDER BY queue";
    return this.#sql
      .exec<{ queue: string }>(select, version)
      .toArray()
      .map(({ queue }) => queue);
  }

  delivered(queue: string, version: number): void {
    this.#sql.exec("UPDATE watchers SET version = ?2 WHERE queue = ?1 AND version < ?2", queue, version);
  }

  #read(statement: string, ...values: SqlStorageValue[]): StoredLimit[] {
    const rows = this.#sql.exec<Row>(statement, ...values).toArray();
    const read = ({ name, settings, state, closed }: Row) => ({
      name,
      settings: LimitInput.parse(JSON.parse(settings)),
      state: LimitState.parse(JSON.parse(state)),
      closed: closed === null ? null : ClosedNote.parse(JSON.parse(closed)),
    });
    return [
      ...readableRows("a limit", rows, read, ({ name }) =>
        this.#sql.exec("UPDATE limits SET due_ms = NULL WHERE name = ?", name),
      ),
    ];
  }
}
