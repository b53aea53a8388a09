import type { UsageMeter } from "../../core/billing/usage.ts";

/** SQL that counts the rows it reads and writes, by the runtime's own figures. */
export function meteredSql(sql: SqlStorage, meter: UsageMeter): SqlStorage {
  const exec = <T extends Record<string, SqlStorageValue>>(
    query: string,
    ...bindings: unknown[]
  ): SqlStorageCursor<T> => {
    const cursor = sql.exec<T>(query, ...bindings);
    // A statement that writes has run when `exec` returns; one that reads has found its first row, and what it reads
    // later is not counted: rows read cost a thousandth of rows written.
    meter.add({ rows_written: cursor.rowsWritten, rows_read: cursor.rowsRead });
    return cursor;
  };
  return new Proxy(sql, {
    get(target, property) {
      if (property === "exec") return exec;
      const value: unknown = Reflect.get(target, property);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
