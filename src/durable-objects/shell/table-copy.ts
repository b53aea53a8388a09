import { type ObjectEnd, type ObjectRows, ObjectTables, type Table } from "../../core/ecosystems/document.ts";
import { type CopyRules, recordVersion, type Schema, versionOf } from "./schema.ts";
import { USAGE_TABLE } from "./usage-store.ts";

/** Characters of rows in one line, and in one page. A row may be larger than either. */
const LINE_CHARS = 64_000;
const PAGE_CHARS = 2_000_000;
const ROWS_READ = 500;

/** Where a page ended: a table, and the key of its last row. */
export interface CopyPlace {
  readonly table: string;
  readonly key: (string | number)[] | null;
}

export interface CopyPage {
  readonly lines: readonly string[];
  /** `null`: the object is complete. */
  readonly next: CopyPlace | null;
}

type Row = Record<string, SqlStorageValue>;
type Sql = Pick<SqlStorage, "exec">;

const STAGED = "staged_";
export const quoted = (name: string) => `"${name}"`;
const NOT_OURS = `name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB 'staged_*' AND name <> '${USAGE_TABLE}'`;

export function tablesOf(sql: Sql, { leftOut = [] }: CopyRules = {}): Table[] {
  const select = `SELECT name, sql FROM sqlite_master WHERE type = 'table' AND ${NOT_OURS} ORDER BY name`;
  return sql
    .exec<{ name: string; sql: string }>(select)
    .toArray()
    .filter(({ name }) => !leftOut.includes(name))
    .map((table) => ({
      ...table,
      indexes: sql
        .exec<{ sql: string }>(
          "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
          table.name,
        )
        .toArray()
        .map((index) => index.sql),
    }));
}

/** The columns by which a table is read in order: its own key, or the number that the database gives each row. */
export function keyOf(sql: Sql, { name, sql: definition }: Table): string[] {
  if (!/WITHOUT ROWID\s*$/i.test(definition)) return ["rowid"];
  return sql
    .exec<{ name: string }>(`SELECT name FROM pragma_table_info('${name}') WHERE pk > 0 ORDER BY pk`)
    .toArray()
    .map((column) => column.name);
}

/** Reads a page of an object's tables, as lines of the document. */
export function copyOut(
  sql: Sql,
  object: string,
  schema: Schema,
  alarmMs: number | null,
  place: CopyPlace | null,
  withSecrets: boolean,
): CopyPage {
  const tables = tablesOf(sql, schema.copy);
  const lines: string[] = [];
  if (place === null) {
    const line: ObjectTables = {
      object,
      schema: versionOf(schema),
      tables,
      alarm_ms: alarmMs,
      sequences: sequences(sql),
    };
    lines.push(JSON.stringify(line));
  }
  let chars = 0;
  for (const table of tables) {
    if (place !== null && table.name < place.table) continue;
    let key = place?.table === table.name ? place.key : null;
    for (;;) {
      const part = readRows(sql, table, key);
      const { columns, rows } = part;
      const kept = rows
        .filter((row) => !(table.name === "notes" && row.name === "name"))
        .map((row) => schema.copy?.without?.(table.name, row, withSecrets) ?? row);
      if (kept.length > 0) {
        const values = kept.map((row) =>
          columns.map((column) => encode(row[column === "rowid" ? "key_0" : column] ?? null)),
        );
        const line: ObjectRows = { object, table: table.name, columns, rows: values };
        const text = JSON.stringify(line);
        lines.push(text);
        chars += text.length;
      }
      if (part.next === null) break;
      key = part.next;
      if (chars >= PAGE_CHARS) return { lines, next: { table: table.name, key } };
    }
  }
  lines.push(JSON.stringify({ object, ended: true } satisfies ObjectEnd));
  return { lines, next: null };
}

function sequences(sql: Sql): Record<string, number> {
  const exists = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").toArray().length > 0;
  if (!exists) return {};
  const rows = sql.exec<{ name: string; seq: number }>(`SELECT name, seq FROM sqlite_sequence WHERE ${NOT_OURS}`);
  return Object.fromEntries(rows.toArray().map(({ name, seq }) => [name, seq]));
}

/** Rows after `after`, of one line's size. */
export function readRows(
  sql: Sql,
  table: Table,
  after: CopyPlace["key"],
): { columns: string[]; rows: Row[]; next: (string | number)[] | null } {
  const key = keyOf(sql, table);
  const own = sql.exec<{ name: string }>(`SELECT name FROM pragma_table_info('${table.name}')`).toArray();
  // A row that stands for no key of its own is known by its number, so that written twice it is there once.
  const numbered = key[0] === "rowid" && !/\bINTEGER PRIMARY KEY\b/i.test(table.sql);
  const columns = [...(numbered ? ["rowid"] : []), ...own.map(({ name }) => name)];
  const names = key.map((column) => (column === "rowid" ? "rowid" : quoted(column)));
  const selected = [
    ...names.map((name, place) => `${name} AS key_${place}`),
    ...own.map(({ name }) => quoted(name)),
  ].join(", ");
  const behind = after === null ? "" : `WHERE (${names.join(", ")}) > (${names.map(() => "?").join(", ")})`;
  const select = `SELECT ${selected} FROM ${quoted(table.name)} ${behind} ORDER BY ${names.join(", ")} LIMIT ${ROWS_READ}`;
  const rows: Row[] = [];
  let chars = 0;
  let last: (string | number)[] | null = null;
  for (const row of sql.exec<Row>(select, ...(after ?? []))) {
    last = names.map((_, place) => keyValue(row[`key_${place}`]));
    rows.push(row);
    for (const value of Object.values(row)) chars += typeof value === "string" ? value.length : 8;
    if (chars >= LINE_CHARS) return { columns, rows, next: last };
  }
  return { columns, rows, next: rows.length < ROWS_READ ? null : last };
}

function keyValue(value: SqlStorageValue | undefined): string | number {
  if (typeof value === "string" || typeof value === "number") return value;
  throw new Error("a key of a stored row is neither text nor number");
}

function encode(value: SqlStorageValue): string | number | null | { base64: string } {
  if (!(value instanceof ArrayBuffer)) return value;
  let text = "";
  for (const byte of new Uint8Array(value)) text += String.fromCharCode(byte);
  return { base64: btoa(text) };
}

const decode = (value: ObjectRows["rows"][number][number]): SqlStorageValue =>
  typeof value === "object" && value !== null
    ? Uint8Array.from(atob(value.base64), (char) => char.charCodeAt(0)).buffer
    : value;

/** Makes the tables of an import beside the object's own; what an import before left of them is dropped. */
export function stageTables(sql: Sql, id: string, line: ObjectTables): void {
  dropStaged(sql);
  for (const { name, sql: definition } of line.tables)
    sql.exec(definition.replace(/^CREATE TABLE (?:"[a-z0-9_]+"|[a-z0-9_]+)/, `CREATE TABLE ${quoted(STAGED + name)}`));
  sql.exec("CREATE TABLE staged_import (id TEXT NOT NULL, about TEXT NOT NULL, ended INTEGER NOT NULL DEFAULT 0)");
  sql.exec("INSERT INTO staged_import (id, about) VALUES (?, ?)", id, JSON.stringify(line));
}

/** Written again, a row takes its own place. */
export function stageRows(sql: Sql, { table, columns, rows }: ObjectRows): void {
  const into = columns.map((column) => (column === "rowid" ? column : quoted(column))).join(", ");
  const insert = `INSERT OR REPLACE INTO ${quoted(STAGED + table)} (${into}) VALUES (${columns.map(() => "?").join(", ")})`;
  for (const row of rows) sql.exec(insert, ...row.map(decode));
}

/** All rows have come. */
export function endStaged(sql: Sql): void {
  sql.exec("UPDATE staged_import SET ended = 1");
}

/** What was staged for an import; `undefined`: nothing, or for another. */
export function stagedFor(sql: Sql, id: string): { about: ObjectTables; whole: boolean } | undefined {
  if (sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'staged_import'").toArray().length === 0) return undefined;
  const select = "SELECT about, ended FROM staged_import WHERE id = ?";
  const [row] = sql.exec<{ about: string; ended: number }>(select, id).toArray();
  return row === undefined ? undefined : { about: ObjectTables.parse(JSON.parse(row.about)), whole: row.ended === 1 };
}

/** Puts the staged tables in the place of the object's own. In a transaction; the object must be started anew after it. */
export function useStaged(sql: Sql, schema: Schema, { tables, schema: version, sequences }: ObjectTables): void {
  for (const { name } of tablesOf(sql)) sql.exec(`DROP TABLE ${quoted(name)}`);
  for (const { name, indexes } of tables) {
    sql.exec(`ALTER TABLE ${quoted(STAGED + name)} RENAME TO ${quoted(name)}`);
    for (const index of indexes) sql.exec(index);
  }
  for (const [name, seq] of Object.entries(sequences)) {
    sql.exec("DELETE FROM sqlite_sequence WHERE name = ?", name);
    sql.exec("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", name, seq);
  }
  sql.exec("DROP TABLE staged_import");
  recordVersion(sql, version);
  // The first version is not recorded.
  if (version === 1) sql.exec("DROP VIEW schema_version");
  schema.copy?.imported?.(sql);
}

function dropStaged(sql: Sql): void {
  const staged = sql.exec<{ name: string }>(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'staged_*'",
  );
  for (const { name } of staged.toArray()) sql.exec(`DROP TABLE ${quoted(name)}`);
}

/** Whether an object holds nothing but what its class makes by itself. */
export function holdsNothing(sql: Sql, { copy }: Schema): boolean {
  return tablesOf(sql, copy).every(({ name }) => {
    const initial = copy?.initial?.[name] ?? INITIAL[name] ?? "0";
    return sql.exec(`SELECT 1 FROM ${quoted(name)} WHERE NOT (${initial}) LIMIT 1`).toArray().length === 0;
  });
}

/** The epoch under which an object numbers its signals is made with the object. */
const INITIAL: Readonly<Record<string, string>> = { notes: "1", producer: "1", position: "cursor = 0 AND number = 0" };
