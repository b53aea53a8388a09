import { addColumn, type SchemaStep } from "../../shell/schema.ts";

/**
 * What a waking queue reads of a task that waits. Nothing is written: rows from before have none, and are read whole until
 * their tasks change or end, so that the step takes the same time whatever the queue holds.
 */
export const addPlaces: SchemaStep = (sql) => {
  addColumn(sql, "tasks", "place", "TEXT");
};
