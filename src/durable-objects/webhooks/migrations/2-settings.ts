import { addColumn, type SchemaStep } from "../../shell/schema.ts";

/** An endpoint may want its messages in a form of its own. */
export const settings: SchemaStep = (sql) => addColumn(sql, "endpoints", "settings", "TEXT");
