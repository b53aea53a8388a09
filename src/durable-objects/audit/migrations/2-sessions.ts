import { addColumn, type SchemaStep } from "../../shell/schema.ts";

/** A call may come from the session of a browser. */
export const sessions: SchemaStep = (sql) => addColumn(sql, "entries", "session", "TEXT");
