import type { Usage } from "../../core/billing/usage.ts";
import { MAX_LABEL_VALUES, OTHER } from "../../core/collections/labelled-counts.ts";
import { restOf, withFolded } from "../../core/metrics/compose.ts";
import type { KeptReport } from "../../core/metrics/report.ts";
import { ECOSYSTEM_NAME } from "../../core/signals/signal.ts";
import type { NewReport } from "../shell/state-reports.ts";

/** An ecosystem that nobody has scraped for so long, in milliseconds, is not reported any more. */
const WANTED_MS = 30 * 60_000;
/** That somebody scrapes is stored once in this time, in milliseconds. */
const STORE_MS = 10 * 60_000;
/** Stands in the place of an ecosystem for all of them together. */
const ALL = "*";
/** Characters of reports in one answer. */
const PAGE_CHARS = 4 * 1024 * 1024;
const PAGE_ROWS = 500;

const QUEUE = "PriorityQueue/";
/** In the place of an object: what is left of queues that were deleted. A class has no such name. */
const DELETED = "~deleted";

/** The place of a report among all. */
export interface ReportPlace {
  readonly ecosystem: string;
  readonly object: string;
}

export interface ReportPage {
  readonly reports: readonly (KeptReport & { readonly ecosystem: string })[];
  /** Where the next page begins; `null`: there is none. */
  readonly next: ReportPlace | null;
}

/** What was ever used, as far as it is stored: by the Worker for these ecosystems, and by the directory for all. */
export interface ReportedUsage {
  readonly worker: Usage;
  readonly directory: Usage;
}

interface Row extends Record<string, SqlStorageValue> {
  ecosystem: string;
  object: string;
  label: string;
  at_ms: number;
  body: string;
}

/**
 * The states that objects reported last, for scrapes. Tables: `state_reports`, a row for each object of an ecosystem that is
 * scraped; `scraped`, a row for each such ecosystem.
 */
export class KeptReports {
  readonly #sql: SqlStorage;
  readonly #always: boolean;

  /** @param always - reports are kept also where nobody scrapes */
  constructor(sql: SqlStorage, always: boolean) {
    this.#sql = sql;
    this.#always = always;
    sql.exec(`
      CREATE TABLE IF NOT EXISTS state_reports (
        ecosystem TEXT NOT NULL, object TEXT NOT NULL, label TEXT NOT NULL, at_ms INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (ecosystem, object)
      ) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS scraped (ecosystem TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID;
    `);
  }

  /**
   * @param hasQueue - whether a queue exists: the last report of one that was deleted may come late
   * @returns whether anybody scrapes the ecosystem
   */
  keep({ ecosystem, object, body }: NewReport, hasQueue: (queue: string) => boolean, nowMs: number): boolean {
    if (!this.#isWanted(ecosystem, nowMs)) return false;
    if (object.startsWith(QUEUE) && !hasQueue(object.slice(QUEUE.length))) return true;
    this.#write(ecosystem, object, this.#labelOf(ecosystem, object), nowMs, body);
    return true;
  }

  /** @param from - an ecosystem, or {@link ALL} @param after - the place that the page before named */
  page(from: string, after: ReportPlace | null, nowMs: number): ReportPage {
    if (after === null) this.#noteScrape(from, nowMs);
    const rows = this.#sql.exec<Row>(
      `SELECT * FROM state_reports WHERE (ecosystem, object) > (?1, ?2) AND (?3 = '*' OR ecosystem = ?3)
         ORDER BY ecosystem, object LIMIT ?4`,
      after?.ecosystem ?? (from === ALL ? "" : from),
      after?.object ?? "",
      from,
      PAGE_ROWS,
    );
    const reports: ReportPage["reports"][number][] = [];
    let chars = 0;
    for (const { ecosystem, object, label, at_ms, body } of rows) {
      reports.push({ ecosystem, label, atMs: at_ms, body });
      chars += body.length;
      if (reports.length >= PAGE_ROWS || chars >= PAGE_CHARS) return { reports, next: { ecosystem, object } };
    }
    return { reports, next: null };
  }

  /** All ecosystems of which there are reports, and `known` ones, by name. All of them are wanted then. */
  ecosystems(nowMs: number, known: readonly { readonly name: string }[]): string[] {
    this.#noteScrape(ALL, nowMs);
    const rows = this.#sql.exec<{ ecosystem: string }>("SELECT DISTINCT ecosystem FROM state_reports");
    const reported = [...rows].map(({ ecosystem }) => ecosystem).filter((name) => ECOSYSTEM_NAME.test(name));
    return [...new Set([...reported, ...known.map(({ name }) => name)])].sort();
  }

  /** A queue was deleted: its counters stay in the sums. */
  queueDeleted(ecosystem: string, queue: string, nowMs: number): void {
    const row = this.#row(ecosystem, QUEUE + queue);
    if (row === undefined) return;
    const rest = restOf(this.#row(ecosystem, DELETED)?.body, row.body);
    this.#write(ecosystem, DELETED, OTHER, nowMs, rest);
    this.#sql.exec("DELETE FROM state_reports WHERE ecosystem = ? AND object = ?", ecosystem, QUEUE + queue);
  }

  forget(ecosystem: string): void {
    this.#sql.exec("DELETE FROM state_reports WHERE ecosystem = ?", ecosystem);
    this.#sql.exec("DELETE FROM scraped WHERE ecosystem = ?", ecosystem);
  }

  #isWanted(ecosystem: string, nowMs: number): boolean {
    if (this.#always) return true;
    const select = "SELECT max(at_ms) AS at_ms FROM scraped WHERE ecosystem IN (?, '*')";
    const { at_ms } = this.#sql.exec<{ at_ms: number | null }>(select, ecosystem).one();
    return at_ms !== null && nowMs - at_ms < WANTED_MS;
  }

  #noteScrape(ecosystem: string, nowMs: number): void {
    if (this.#always) return;
    this.#sql.exec(
      `INSERT INTO scraped (ecosystem, at_ms) VALUES (?1, ?2)
         ON CONFLICT (ecosystem) DO UPDATE SET at_ms = ?2 WHERE ?2 >= at_ms + ?3`,
      ecosystem,
      nowMs,
      STORE_MS,
    );
  }

  /**
   * The value of the label `queue`: the first queues of an ecosystem have their names, the others share one. A queue keeps
   * its label until it is deleted: a counter that went over to another label would fall.
   */
  #labelOf(ecosystem: string, object: string): string {
    if (!object.startsWith(QUEUE)) return "";
    const known = this.#row(ecosystem, object)?.label;
    if (known !== undefined) return known;
    const { named } = this.#sql
      .exec<{ named: number }>(
        "SELECT count(*) AS named FROM state_reports WHERE ecosystem = ? AND label <> '' AND label <> ?",
        ecosystem,
        OTHER,
      )
      .one();
    if (named < MAX_LABEL_VALUES) return object.slice(QUEUE.length);
    const rest = this.#row(ecosystem, DELETED)?.body;
    this.#write(ecosystem, DELETED, OTHER, Date.now(), withFolded(rest));
    return OTHER;
  }

  #row(ecosystem: string, object: string): Row | undefined {
    const select = "SELECT * FROM state_reports WHERE ecosystem = ? AND object = ?";
    return this.#sql.exec<Row>(select, ecosystem, object).toArray()[0];
  }

  #write(ecosystem: string, object: string, label: string, atMs: number, body: string): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO state_reports (ecosystem, object, label, at_ms, body) VALUES (?, ?, ?, ?, ?)",
      ...[ecosystem, object, label, atMs, body],
    );
  }
}
