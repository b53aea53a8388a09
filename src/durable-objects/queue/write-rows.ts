/** The most values that one statement may have. */
const VALUES = 100;

/** Writes several rows with each statement, since a statement costs more than a row. The runtime caches the statements. */
export function writeRows<Item>(
  sql: SqlStorage,
  into: string,
  items: readonly Item[],
  row: (item: Item) => SqlStorageValue[],
): void {
  const [first] = items;
  if (first === undefined) return;
  const columns = row(first).length;
  const places = `(${Array(columns).fill("?").join(", ")})`;
  const together = Math.floor(VALUES / columns);
  for (let from = 0; from < items.length; from += together) {
    const rows = items.slice(from, from + together).map(row);
    sql.exec(`${into} ${rows.map(() => places).join(", ")}`, ...rows.flat());
  }
}
