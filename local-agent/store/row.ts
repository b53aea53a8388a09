import type { SQLOutputValue } from "node:sqlite";

/** A row as SQLite returns it. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

/** @throws TypeError when the column holds no number */
export function numberIn(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== "number") throw new TypeError(`the column ${column} holds no number`);
  return value;
}

/** @throws TypeError when the column holds no text */
export function textIn(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new TypeError(`the column ${column} holds no text`);
  return value;
}
