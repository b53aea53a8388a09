import { addColumn, type SchemaStep } from "../schema.ts";

/** A projection's cursor knows the epoch of the log that it counts. */
export const logEpoch: SchemaStep = (sql) => {
  addColumn(sql, "position", "log_epoch", "TEXT");
};
