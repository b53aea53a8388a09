import { LabelledCounts, StoredCounts } from "../../core/collections/labelled-counts.ts";
import type { Notes } from "../shell/notes.ts";
import { readableRows } from "../shell/readable-rows.ts";

/** The counters of deliveries as they were stored last: the row that was written last has the highest. */
export function latestCounts(sql: SqlStorage, notes: Notes<"counts">): LabelledCounts {
  const rows = sql.exec<{ counts: string }>("SELECT counts FROM deliveries WHERE counts IS NOT NULL").toArray();
  const texts = [notes.read("counts") ?? [], rows.map(({ counts }) => counts)].flat();
  const stored = [...readableRows("counts of webhooks", texts, (text) => StoredCounts.parse(JSON.parse(text)))];
  const sum = ({ counts }: StoredCounts) => counts.reduce((all, [, , count]) => all + count, 0);
  return new LabelledCounts(stored.sort((a, b) => sum(b) - sum(a))[0]);
}
