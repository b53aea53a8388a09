import * as z from "zod";
import { readableOr } from "../shell/readable-rows.ts";

const Patterns = z.array(z.string());

/**
 * The relays that have ever held links of the ecosystem, and what each is subscribed to: a log that wakes sends on to them
 * what comes, and reaches all of them when a token ends. Table: `link_relays`, a row for each, written when its patterns change.
 */
export class RelayStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec("CREATE TABLE IF NOT EXISTS link_relays (relay TEXT PRIMARY KEY, patterns TEXT NOT NULL) WITHOUT ROWID");
  }

  /** The patterns of each relay, by its name. */
  load(): Map<string, readonly string[]> {
    const rows = this.#sql
      .exec<{ relay: string; patterns: string }>("SELECT relay, patterns FROM link_relays")
      .toArray();
    // A relay whose row is damaged subscribes again with the next of its links.
    return new Map(
      rows.map(({ relay, patterns }) => [
        relay,
        readableOr("patterns of a relay", patterns, (text) => Patterns.parse(JSON.parse(text)), []),
      ]),
    );
  }

  write(relay: string, patterns: readonly string[]): void {
    this.#sql.exec("INSERT OR REPLACE INTO link_relays VALUES (?, ?)", relay, JSON.stringify(patterns));
  }
}
