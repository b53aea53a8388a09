/** Rows in one statement, of four values at most; 100 values are the most that one may have. */
const ROWS = 24;

/** Writes several rows with each statement, since a statement costs more than a row. The runtime caches the statements. */
export function writeRows<Item>(
  sql: SqlStorage,
  into: string,
  items: readonly Item[],
  row: (item: Item) => SqlStorageValue[],
): void {
  for (let from = 0; from < items.length; from += ROWS) {
    const rows = items.slice(from, from + ROWS).map(row);
    const places = `(${rows[0]?.map(() => "?").join(", ")})`;
    sql.exec(`${into} ${rows.map(() => places).join(", ")}`, ...rows.flat());
  }
}
