import { addColumn, type SchemaStep } from "../../shell/schema.ts";

/** Dead letters can be replayed, and name the signal that caused them. */
export const replays: SchemaStep = (sql) => {
  addColumn(sql, "letters", "replayed_ms", "INTEGER");
  addColumn(sql, "letters", "outcome", "TEXT");
  addColumn(sql, "letters", "closed", "INTEGER NOT NULL DEFAULT 0");
  addColumn(sql, "letters", "cause", "TEXT");
};
