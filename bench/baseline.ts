import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { benchSignal } from "./link-client.ts";

/**
 * What this machine's disk and processor do with the same signals and nothing around them: SQLite in this process,
 * `synchronous=FULL`, one transaction a batch, parsed and written again as the edge must. Figures from two machines can be compared by it.
 *
 * @param rows - a row for each signal, or one for the batch
 * @returns signals per second
 */
export function sqliteBaseline(size: number, rows: "signal" | "batch", seconds = 1): number {
  const directory = mkdtempSync(join(tmpdir(), "ganglion-baseline-"));
  const database = new DatabaseSync(join(directory, "baseline.sqlite"));
  try {
    database.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE signals (seq INTEGER PRIMARY KEY, body TEXT)",
    );
    const insert = database.prepare("INSERT INTO signals (body) VALUES (?)");
    const batch = `[${Array.from({ length: size }, (_, place) => benchSignal(place, "Q_BENCH_TICK")).join(",")}]`;
    let signals = 0;
    const started = performance.now();
    while (performance.now() - started < seconds * 1_000) {
      const parsed = JSON.parse(batch) as unknown[];
      database.exec("BEGIN");
      if (rows === "batch") insert.run(JSON.stringify(parsed));
      else for (const signal of parsed) insert.run(JSON.stringify(signal));
      database.exec("COMMIT");
      signals += size;
    }
    return signals / ((performance.now() - started) / 1_000);
  } finally {
    database.close();
    rmSync(directory, { recursive: true, force: true });
  }
}
