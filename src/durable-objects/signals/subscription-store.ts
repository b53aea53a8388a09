import * as z from "zod";
import { PROJECTIONS, type ProjectionName } from "../../core/projection/batch.ts";
import { readableOr } from "../shell/readable-rows.ts";
import { DEFAULT_SUBSCRIPTIONS } from "./default-subscriptions.ts";

const Patterns = z.array(z.string());

/** Subscriptions of the projections, stored so that a log that wakes knows them before the projections subscribe again. */
export class SubscriptionStore {
  readonly #sql: SqlStorage;
  readonly #asked = new Map<ProjectionName, readonly string[]>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS interests (projection TEXT PRIMARY KEY, patterns TEXT NOT NULL) WITHOUT ROWID",
    );
    for (const { projection, patterns } of sql.exec<{ projection: string; patterns: string }>(
      "SELECT projection, patterns FROM interests",
    )) {
      const name = PROJECTIONS.find((known) => known === projection);
      // The projection subscribes again when it settles next.
      const read = readableOr("subscriptions", patterns, (text) => Patterns.parse(JSON.parse(text)), []);
      if (name !== undefined && read.length > 0) this.#asked.set(name, read);
    }
  }

  /** The default subscriptions always count: a new release must not wait for a projection to wake and subscribe. */
  of(projection: ProjectionName): readonly string[] {
    return [...new Set([...DEFAULT_SUBSCRIPTIONS[projection], ...(this.#asked.get(projection) ?? [])])];
  }

  /** @returns whether the patterns changed */
  ask(projection: ProjectionName, patterns: readonly string[]): boolean {
    if (JSON.stringify(this.#asked.get(projection)) === JSON.stringify(patterns)) return false;
    this.#sql.exec("INSERT OR REPLACE INTO interests VALUES (?, ?)", projection, JSON.stringify(patterns));
    this.#asked.set(projection, patterns);
    return true;
  }
}
