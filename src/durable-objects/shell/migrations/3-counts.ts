import { addColumn, type SchemaStep } from "../schema.ts";

/** The row of a projection's place has its counters. */
export const projectionCounts: SchemaStep = (sql) => {
  addColumn(sql, "position", "counts", "TEXT");
};
