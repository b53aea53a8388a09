import { OpenTime } from "../../core/billing/open-time.ts";
import { NO_USAGE, sumUsage, type Usage, type UsageMeter, usageSince } from "../../core/billing/usage.ts";
import { addToDay, DAY_MS, DayUsage, dayOf, type ObjectUsage } from "../../core/billing/usage-days.ts";
import { logLine } from "./log-line.ts";
import { readableRows } from "./readable-rows.ts";

/** The table of the counts: it belongs to the place where the object is, so no copy of an ecosystem holds it. */
export const USAGE_TABLE = "usage_days";

/** Days that are kept: this month and the one before. */
const KEEP_DAYS = 62;
/** Between two writes, in milliseconds, of an object that has been awake for long, and of one that has just woken. */
const EVERY_MS = 60_000;
const EVERY_MS_WHEN_YOUNG = 20_000;
const YOUNG_MS = 120_000;
/** What comes at the same time is counted by one write. */
const GATHER_MS = 100;
/** An alarm that fires within this time is waited for: its own work is counted with what set it. */
const ALARM_MS = 10_000;

/** The object's own counts; others are kept under the names of ecosystems, and no such name is empty. */
const OWN = "";

interface UsageStoreParts {
  readonly storage: DurableObjectStorage;
  readonly meter: UsageMeter;
  readonly alarmMs: () => number | undefined;
  /** Nothing may be written now: the object is being copied or deleted. */
  readonly suspended: () => boolean;
}

/**
 * What an object has used, by day (UTC), on its disk.
 *
 * Counts are in memory and become one row at most once a minute while the object is awake (three times a minute in its first
 * two minutes: 4,320 rows a day at most, 1,440 where it never sleeps), and none while nothing happens. What an object
 * counted after its last write is lost when the object is put out of memory. An object that never stores anything stores no counts.
 */
export class UsageStore {
  readonly #parts: UsageStoreParts;
  readonly #open = new OpenTime();
  /** What the meter showed when the counts were stored last. */
  #stored: Usage = NO_USAGE;
  /** Counts that are not the meter's, by ecosystem. */
  readonly #others = new Map<string, Usage>();
  /** {@link stored}, as it was read or written last. */
  readonly #totals = new Map<string, Usage>();
  #exists: boolean | undefined;
  /** The object was seen to have tables: a report asks each time, and only {@link emptied} says that they are gone. */
  #sawTables = false;
  #rowsAtWake: number | undefined;
  readonly #wokeMs = Date.now();
  #writtenMs: number | undefined;
  #dueSinceMs: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #day = dayOf(this.#wokeMs);
  #dayEndsMs = Date.parse(this.#day) + DAY_MS;

  constructor(parts: UsageStoreParts) {
    this.#parts = parts;
  }

  /** An event begins. @returns the time, which stands still until the event waits for something */
  began(): number {
    const nowMs = Date.now();
    // The constructors of the object's class have run: what they wrote is no use of the object yet.
    this.#rowsAtWake ??= this.#parts.meter.usage.rows_written;
    if (nowMs >= this.#dayEndsMs) this.#endDay(nowMs);
    this.#open.began(nowMs);
    return nowMs;
  }

  /** An event is over. */
  ended(nowMs: number): void {
    this.#parts.meter.add({ open_ms: this.#open.ended(nowMs) });
    if (this.#timer !== undefined || !this.#isDue(nowMs)) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.write(Date.now());
    }, GATHER_MS);
  }

  /** Counts for another account: what the Worker did for an ecosystem. */
  addFor(ecosystem: string, used: Usage): void {
    if (ecosystem === OWN) this.#parts.meter.add(used);
    else this.#others.set(ecosystem, sum(this.#others.get(ecosystem), used));
  }

  /** Deletes the counts of an ecosystem. */
  forget(ecosystem: string): void {
    this.#others.delete(ecosystem);
    this.#totals.delete(ecosystem);
    if (this.#tableExists()) this.#sql.exec(`DELETE FROM ${USAGE_TABLE} WHERE account = ?`, ecosystem);
  }

  /** @param since - the first day, such as `2026-01-31` */
  usage(since: string, account = OWN): ObjectUsage {
    const { meter, storage } = this.#parts;
    const days = this.#tableExists() ? this.#read(account, since) : [];
    const today = addToDay(
      days.find(({ day }) => day === this.#day),
      this.#pending(account),
      this.#countedFromMs,
    );
    return {
      awake: meter.usage,
      days: [...days.filter(({ day }) => day !== this.#day), today],
      storage_bytes: storage.sql.databaseSize,
    };
  }

  /**
   * All that was ever used, as far as it is on the disk: whatever is killed, what was read here once is there again.
   * Of the time before days had their total, those count that are still stored.
   */
  stored(account = OWN): Usage {
    let total = this.#totals.get(account);
    if (total !== undefined) return total;
    const days = this.#tableExists() ? this.#read(account, "") : [];
    const last = days.findLastIndex((day) => day.total !== undefined);
    const later = days.slice(last + 1).map(({ usage }) => usage);
    total = later.reduce(sumUsage, days[last]?.total ?? NO_USAGE);
    this.#totals.set(account, total);
    return total;
  }

  /** {@link stored}, of the Worker for an ecosystem or all (`*`), and of the object itself. */
  storedFor(ecosystem: string): { readonly worker: Usage; readonly directory: Usage } {
    const worker = ecosystem === "*" ? this.#storedOfOthers() : this.stored(ecosystem);
    return { worker, directory: this.stored() };
  }

  #storedOfOthers(): Usage {
    if (!this.#tableExists()) return NO_USAGE;
    const select = `SELECT DISTINCT account FROM ${USAGE_TABLE} WHERE account <> ?`;
    const accounts = [...this.#sql.exec<{ account: string }>(select, OWN)];
    return accounts.map(({ account }) => this.stored(account)).reduce(sumUsage, NO_USAGE);
  }

  /** Everything that the object stored was deleted. */
  emptied(): void {
    this.#sawTables = false;
    this.#exists = undefined;
  }

  /** Whether the object holds anything but counts. */
  get holdsSomething(): boolean {
    this.#sawTables ||= this.#hasTables();
    return this.#sawTables && this.#storesSomething();
  }

  #isDue(nowMs: number): boolean {
    this.#writtenMs ??= this.#lastWrite();
    const every = nowMs - this.#wokeMs < YOUNG_MS ? EVERY_MS_WHEN_YOUNG : EVERY_MS;
    if (nowMs - this.#writtenMs < every) return false;
    this.#dueSinceMs ??= nowMs;
    const alarmMs = this.#parts.alarmMs() ?? Number.POSITIVE_INFINITY;
    // A busy object sets its alarm again and again, and must not wait for ever.
    const waits = alarmMs - nowMs < ALARM_MS && nowMs - this.#dueSinceMs < ALARM_MS;
    return !waits && this.#storesSomething();
  }

  #storesSomething(): boolean {
    return (
      this.#tableExists() || this.#parts.meter.usage.rows_written > (this.#rowsAtWake ?? 0) || this.#others.size > 0
    );
  }

  #endDay(nowMs: number): void {
    // What was counted yesterday and is not stored yet belongs to yesterday.
    if (this.#storesSomething()) this.write(nowMs);
    this.#day = dayOf(nowMs);
    this.#dayEndsMs = Date.parse(this.#day) + DAY_MS;
  }

  /** Stores what was counted so far. */
  write(nowMs: number): void {
    const { storage, meter, suspended } = this.#parts;
    // An object that has deleted everything, as a deleted queue has, must stay empty.
    if (suspended() || !this.#hasTables()) return;
    const accounts = [OWN, ...this.#others.keys()];
    const totals: [string, Usage][] = [];
    try {
      storage.transactionSync(() => {
        // With a text key each write costs one row instead of two.
        this.#sql.exec(
          `CREATE TABLE IF NOT EXISTS ${USAGE_TABLE} (day TEXT NOT NULL, account TEXT NOT NULL, written_ms INTEGER NOT NULL,
             body TEXT NOT NULL, PRIMARY KEY (day, account)) WITHOUT ROWID`,
        );
        for (const account of accounts) totals.push([account, this.#writeOne(account, nowMs)]);
      });
    } catch (error) {
      // Counting must not stop what is counted. The counts stay in memory.
      logLine("warn", "usage-not-stored", { error });
      return;
    }
    this.#exists = true;
    for (const [account, total] of totals) this.#totals.set(account, total);
    this.#stored = meter.usage;
    this.#others.clear();
    this.#writtenMs = nowMs;
    this.#dueSinceMs = undefined;
  }

  /** @returns all that was ever used */
  #writeOne(account: string, nowMs: number): Usage {
    const [before] = this.#read(account, this.#day);
    if (before === undefined) {
      const first = dayOf(Date.parse(this.#day) - KEEP_DAYS * DAY_MS);
      this.#sql.exec(`DELETE FROM ${USAGE_TABLE} WHERE day < ?`, first);
    }
    const pending = this.#pending(account);
    // The row that is written now is billed, too.
    const used = { ...pending, rows_written: pending.rows_written + 1 };
    const total = sumUsage(this.stored(account), used);
    const body = { ...addToDay(before, used, this.#countedFromMs), total };
    this.#sql.exec(
      `INSERT INTO ${USAGE_TABLE} (day, account, written_ms, body) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT (day, account) DO UPDATE SET written_ms = ?3, body = ?4`,
      ...[this.#day, account, nowMs, JSON.stringify(body)],
    );
    return total;
  }

  /** When what is not stored yet began, where nothing of the day is stored. */
  get #countedFromMs(): number {
    return Math.max(this.#wokeMs, this.#dayEndsMs - DAY_MS);
  }

  #pending(account: string): Usage {
    if (account !== OWN) return this.#others.get(account) ?? NO_USAGE;
    return usageSince(this.#stored, this.#parts.meter.usage);
  }

  #read(account: string, since: string): DayUsage[] {
    const rows = this.#sql.exec<{ body: string }>(
      `SELECT body FROM ${USAGE_TABLE} WHERE day >= ? AND account = ? ORDER BY day`,
      ...[since, account],
    );
    return [...readableRows("usage", rows, ({ body }) => DayUsage.parse(JSON.parse(body)))];
  }

  #lastWrite(): number {
    if (!this.#tableExists()) return 0;
    const select = `SELECT written_ms FROM ${USAGE_TABLE} WHERE account = ? ORDER BY day DESC LIMIT 1`;
    return [...this.#sql.exec<{ written_ms: number }>(select, OWN)][0]?.written_ms ?? 0;
  }

  #hasTables(): boolean {
    const tables = this.#sql.exec(
      "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*' AND name <> ? LIMIT 1",
      USAGE_TABLE,
    );
    return tables.toArray().length > 0;
  }

  #tableExists(): boolean {
    this.#exists ??= this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = ?", USAGE_TABLE).toArray().length > 0;
    return this.#exists;
  }

  /** Not the metered one: what the meter itself writes must not look like work of the object. */
  get #sql(): SqlStorage {
    return this.#parts.storage.sql;
  }
}

const sum = (before: Usage | undefined, used: Usage) => (before === undefined ? used : sumUsage(before, used));
