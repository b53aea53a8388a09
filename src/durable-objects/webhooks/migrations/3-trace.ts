import { addColumn, type SchemaStep } from "../../shell/schema.ts";

/** A message carries the trace on of what led to it. */
export const trace: SchemaStep = (sql) => addColumn(sql, "deliveries", "trace", "TEXT");
