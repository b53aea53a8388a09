import * as z from "zod";
import type { PlacementVariables } from "../../core/deployment/placement.ts";
import { SourceExport } from "../../core/telemetry/settings.ts";
import type { SourceAnswer, SourceBatch, SourceRow } from "../../core/telemetry/sources.ts";
import type { Payload } from "../../core/telemetry/span.ts";
import { newEpoch } from "./epoch.ts";
import { logLine } from "./log-line.ts";
import { RETRY_MS } from "./outbox-relay.ts";
import { type Namespace, objectNamed } from "./ports.ts";
import { readableOr } from "./readable-rows.ts";

/** Bindings of an object whose finished work is exported. */
export interface ExportBindings extends PlacementVariables {
  readonly TELEMETRY: Namespace<{
    take(batch: SourceBatch): Promise<SourceAnswer>;
    sourceExport(): Promise<SourceExport | null>;
  }>;
}

export interface ExportOutboxOptions {
  readonly env: ExportBindings;
  readonly ecosystem: string;
  readonly sql: SqlStorage;
  readonly source: string;
  readonly wakeBy: (atMs: number) => void;
  /** What an item stands for, at the moment of its delivery; `undefined`: nothing any more. Default: itself. */
  readonly resolve?: (item: string) => string | undefined;
}

/** Items that wait at most. The oldest go first; they are counted. */
const MAX_WAITING = 20_000;
/** Of one row, and of one call. */
const ROW = { items: 64, chars: 200_000 } as const;
const CALL = { rows: 50, chars: 500_000 } as const;

const Stored = SourceExport.extend({ epoch: z.string(), dropped: z.number() });
type Stored = z.infer<typeof Stored>;

/**
 * Finished work of an object on its way to the export of its ecosystem. Rows are written in the transaction of the work and
 * deleted when the export has stored them; it knows their numbers, so handing over twice is harmless.
 *
 * Table: `exported(number, items, body)`, whose row 0 has what the export has told. While nothing is exported there is no
 * table.
 */
export class ExportOutbox {
  readonly #options: ExportOutboxOptions;
  #told: Stored | undefined;
  #waiting = 0;
  #running: Promise<void> | undefined;

  constructor(options: ExportOutboxOptions) {
    this.#options = options;
    this.reload();
  }

  /** How much of payloads leaves; `undefined`: nothing is exported. */
  get payload(): Payload | undefined {
    return this.#told?.payload;
  }

  /** Reads the state in memory back from storage, after a transaction that failed. */
  reload(): void {
    const { sql } = this.#options;
    this.#told = undefined;
    this.#waiting = 0;
    if (sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'exported'").toArray().length === 0) return;
    const [first] = sql.exec<{ body: string }>("SELECT body FROM exported WHERE number = 0").toArray();
    this.#told = readableOr("export of an object", first?.body, (text) => Stored.parse(JSON.parse(text)), undefined);
    const sum = "SELECT coalesce(sum(items), 0) AS waiting FROM exported WHERE number > 0";
    this.#waiting = sql.exec<{ waiting: number }>(sum).one().waiting;
  }

  /** From now on. @param told - `null`: nothing is exported any more */
  set(told: SourceExport | null): void {
    const { sql } = this.#options;
    if (told === null) {
      sql.exec("DROP TABLE IF EXISTS exported");
      this.#told = undefined;
      this.#waiting = 0;
      return;
    }
    // With AUTOINCREMENT no number comes twice, also where all rows are gone.
    sql.exec(
      "CREATE TABLE IF NOT EXISTS exported (number INTEGER PRIMARY KEY AUTOINCREMENT, items INTEGER NOT NULL, body TEXT NOT NULL)",
    );
    this.#tell({ ...told, epoch: this.#told?.epoch ?? newEpoch(), dropped: this.#told?.dropped ?? 0 });
  }

  /** Asks the export of the ecosystem what is exported. */
  async ask(): Promise<void> {
    this.set(await this.#telemetry().sourceExport());
  }

  /** Belongs into the transaction of the work. Does nothing where nothing is exported. @param items - without line breaks */
  add(items: readonly string[]): void {
    if (this.#told === undefined || items.length === 0) return;
    const { sql, wakeBy } = this.#options;
    for (const lines of rowsOf(items))
      sql.exec("INSERT INTO exported (items, body) VALUES (?, ?)", lines.length, lines.join("\n"));
    this.#waiting += items.length;
    if (this.#waiting > MAX_WAITING) this.#dropOldest(this.#told);
    wakeBy(Date.now() + this.#told.gather_ms);
  }

  /** Hands over what waits. To be called when the object's alarm fires; never throws. */
  run(): Promise<void> {
    this.#running ??= this.#deliver().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #deliver(): Promise<void> {
    const { sql, source, ecosystem, wakeBy } = this.#options;
    try {
      for (;;) {
        const told = this.#told;
        const rows = told === undefined ? [] : this.#next();
        if (told === undefined || rows.length === 0) return;
        const { epoch, payload, dropped } = told;
        const answer = await this.#telemetry().take({ source, epoch, payload, rows, dropped });
        if ("off" in answer) return this.set(null);
        // It was switched off meanwhile, and its table is gone.
        if (this.#told === undefined) return;
        sql.exec("DELETE FROM exported WHERE number > 0 AND number <= ?", answer.through);
        this.reload();
        if (dropped > 0 && this.#told !== undefined)
          this.#tell({ ...this.#told, dropped: this.#told.dropped - dropped });
      }
    } catch (error) {
      logLine("warn", "export-not-handed-over", { ecosystem, object: source, error });
      wakeBy(Date.now() + RETRY_MS);
    }
  }

  #next(): SourceRow[] {
    const { sql, resolve = (item: string) => item } = this.#options;
    const rows: SourceRow[] = [];
    let chars = 0;
    for (const { number, body } of sql.exec<{ number: number; body: string }>(
      "SELECT number, body FROM exported WHERE number > 0 ORDER BY number LIMIT ?",
      CALL.rows,
    )) {
      const items = body.split("\n").flatMap((item) => resolve(item) ?? []);
      chars += items.reduce((sum, { length }) => sum + length, 0);
      if (rows.length > 0 && chars > CALL.chars) break;
      rows.push({ number, items });
    }
    return rows;
  }

  #dropOldest(told: Stored): void {
    const { sql } = this.#options;
    const before = this.#waiting;
    while (this.#waiting > MAX_WAITING) {
      const [oldest] = sql
        .exec<{ number: number; items: number }>(
          "SELECT number, items FROM exported WHERE number > 0 ORDER BY number LIMIT 1",
        )
        .toArray();
      if (oldest === undefined) break;
      sql.exec("DELETE FROM exported WHERE number = ?", oldest.number);
      this.#waiting -= oldest.items;
    }
    this.#tell({ ...told, dropped: told.dropped + before - this.#waiting });
  }

  #tell(told: Stored): void {
    this.#told = told;
    this.#options.sql.exec(
      "INSERT OR REPLACE INTO exported (number, items, body) VALUES (0, 0, ?)",
      JSON.stringify(told),
    );
  }

  #telemetry() {
    const { env, ecosystem } = this.#options;
    return objectNamed(env.TELEMETRY, ecosystem, env);
  }
}

function* rowsOf(items: readonly string[]): Generator<string[]> {
  let [lines, chars]: [string[], number] = [[], 0];
  for (const item of items) {
    if (lines.length > 0 && (lines.length === ROW.items || chars + item.length > ROW.chars)) {
      yield lines;
      [lines, chars] = [[], 0];
    }
    lines.push(item);
    chars += item.length;
  }
  yield lines;
}
