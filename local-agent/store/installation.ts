import { randomUUID } from "node:crypto";
import { textIn } from "./row.ts";
import type { StateDatabase } from "./state-database.ts";

/**
 * Identifies the state on this host's disk. It is made with the database and lost with it, so that the edge tells a second
 * installation of a host's name from the first; a copy of the state carries it along.
 */
export function installationOf({ sql }: StateDatabase): string {
  sql.exec("CREATE TABLE IF NOT EXISTS installation (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL)");
  sql.prepare("INSERT OR IGNORE INTO installation VALUES (1, ?)").run(randomUUID());
  return textIn(sql.prepare("SELECT id FROM installation").get() ?? {}, "id");
}
