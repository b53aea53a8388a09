import { bytesOf, PLATFORM } from "./platform-limits.ts";

const { rowBytes: MAX_BYTES, parameters: MAX_PARAMETERS, statementBytes: MAX_STATEMENT } = PLATFORM;

/**
 * SQL that refuses what Cloudflare's storage would refuse: a text, blob or row of more than two million bytes, long
 * statements, and statements with more than a hundred parameters. Tests run on it, so that a row which grows without bound
 * is found here.
 */
export function limitedSql(sql: SqlStorage): SqlStorage {
  const exec = <T extends Record<string, SqlStorageValue>>(
    query: string,
    ...bindings: unknown[]
  ): SqlStorageCursor<T> => {
    check(query, bindings);
    return sql.exec<T>(query, ...bindings);
  };
  return new Proxy(sql, {
    get(target, property) {
      if (property === "exec") return exec;
      const value: unknown = Reflect.get(target, property);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function check(query: string, bindings: readonly unknown[]): void {
  const statement = query.trim().replaceAll(/\s+/g, " ").slice(0, 80);
  if (query.length > MAX_STATEMENT) {
    throw new Error(`a statement of ${query.length} bytes where ${MAX_STATEMENT} are allowed: ${statement}`);
  }
  if (bindings.length > MAX_PARAMETERS) {
    throw new Error(`${bindings.length} parameters where ${MAX_PARAMETERS} are allowed: ${statement}`);
  }
  const sizes = bindings.map(bytesOf);
  const largest = Math.max(0, ...sizes);
  if (largest > MAX_BYTES) throw new Error(`a value of ${largest} bytes where ${MAX_BYTES} are allowed: ${statement}`);
  const rows = /\bVALUES\b/i.test(query) ? Math.max(1, query.split(/\)\s*,\s*\(/).length) : 1;
  const columns = Math.ceil(sizes.length / rows);
  for (let row = 0; row < rows; row++) {
    const bytes = sizes.slice(row * columns, (row + 1) * columns).reduce((sum, size) => sum + size, 0);
    if (bytes > MAX_BYTES) throw new Error(`a row of ${bytes} bytes where ${MAX_BYTES} are allowed: ${statement}`);
  }
}
