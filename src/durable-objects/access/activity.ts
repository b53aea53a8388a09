import type { EcosystemRecord } from "../../core/access/api.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";

/** Activity is stored once in this time, in milliseconds: each row written costs money, and nobody needs seconds. */
const TOUCH_EVERY_MS = 60_000;

/** Records activity of an ecosystem in the table `ecosystems`. Calls may come late, twice or out of order: the latest time is kept. */
export function recordActivity(sql: SqlStorage, ecosystem: string, nowMs: number): void {
  sql.exec(
    `INSERT INTO ecosystems (name, last_active_ms) VALUES (?1, ?2)
     ON CONFLICT (name) DO UPDATE SET last_active_ms = ?2 WHERE ?2 >= last_active_ms + ?3`,
    ecosystem,
    nowMs,
    TOUCH_EVERY_MS,
  );
}

/** Every ecosystem that was ever active, by name. */
export function activeEcosystems(sql: SqlStorage): EcosystemRecord[] {
  const select = "SELECT name, last_active_ms FROM ecosystems ORDER BY name";
  const rows = [...sql.exec<{ name: string; last_active_ms: number }>(select)];
  return rows.map(({ name, last_active_ms }) => ({ name, last_active_at: formatTimestamp(last_active_ms) }));
}
