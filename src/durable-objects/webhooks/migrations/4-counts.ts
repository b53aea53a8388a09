import { addColumn, type SchemaStep } from "../../shell/schema.ts";

/** The row of a delivery has the counters of all deliveries, as they were when it was written. */
export const deliveryCounts: SchemaStep = (sql) => {
  addColumn(sql, "deliveries", "counts", "TEXT");
};
