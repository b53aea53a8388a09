/** The most values that one statement may have. */
const VALUES = 100;

/** Writes several rows with each statement, since a statement costs more than a row. The runtime caches the statements. */
export function writeRows<Item>(
  sql: SqlStorage,
  into: string,
  items: readonly Item[],
  row: (item: Item) => SqlStorageValue[],
): void {
  const rows = items.map(row);
  if (rows[0] === undefined) return;
  const columns = rows[0].length;
  const places = `(${Array(columns).fill("?").join(", ")})`;
  const together = Math.floor(VALUES / columns);
  for (let from = 0; from < rows.length; from += together) {
    const some = rows.slice(from, from + together);
    sql.exec(`${into} ${some.map(() => places).join(", ")}`, ...some.flat());
  }
}
