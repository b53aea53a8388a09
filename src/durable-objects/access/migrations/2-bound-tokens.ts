import { addColumn, type SchemaStep } from "../../shell/schema.ts";

/** Tokens can be bound to names, and say which list of scopes they were made with. */
export const boundTokens: SchemaStep = (sql) => {
  for (const column of ["hosts", "sources", "recipients"]) addColumn(sql, "tokens", column, "TEXT");
  addColumn(sql, "tokens", "scopes_version", "INTEGER NOT NULL DEFAULT 1");
};
