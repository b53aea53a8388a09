/** Writes to standard output at the pace of its reader, so that a slow reader does not fill our memory. */
export async function print(text: string): Promise<void> {
  if (process.stdout.write(`${text}\n`)) return;
  await new Promise<void>((resolve) => process.stdout.once("drain", resolve));
}

/** Writes a remark about the progress to standard error: it is no part of the result. */
export function remark(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** One JSON document a line. */
export async function printLines(items: readonly unknown[]): Promise<void> {
  if (items.length > 0) await print(items.map((item) => JSON.stringify(item)).join("\n"));
}

export type Column<Row> = readonly [title: string, cell: (row: Row) => unknown];

/** Aligned columns; the last is as long as it is, or as the terminal is wide. */
export async function printTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  nothing: string,
): Promise<void> {
  if (rows.length === 0) return remark(nothing);
  const cells = [columns.map(([title]) => title), ...rows.map((row) => columns.map(([, cell]) => cellText(cell(row))))];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]?.length ?? 0)));
  await print(cells.map((line) => cutToTerminal(alignLine(line, widths))).join("\n"));
}

export function alignLine(line: readonly string[], widths: readonly number[]): string {
  return line
    .map((cell, index) => (index === line.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
    .join("  ")
    .trimEnd();
}

/** Cuts a line at the width of a terminal. Output to a file or a pipe stays whole. */
export function cutToTerminal(line: string): string {
  const width = process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY;
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
}

export async function printFields(fields: Readonly<Record<string, unknown>>): Promise<void> {
  const width = Math.max(...Object.keys(fields).map((name) => name.length));
  await print(
    Object.entries(fields)
      .map(([name, value]) => `${name.padEnd(width)}  ${cellText(value)}`)
      .join("\n"),
  );
}

/** Signals come from anywhere: characters that could control the terminal are printed as escapes. */
export function cellText(value: unknown): string {
  if (value === undefined || value === null || value === "") return "-";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
