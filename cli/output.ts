import { cellText, withoutControl } from "./terminal/cell.ts";
import { at, clock, currentLook, shownValue } from "./terminal/look.ts";
import { hideProgress } from "./terminal/progress.ts";
import { type Column, fieldLines, table } from "./terminal/table.ts";
import { cutTo } from "./terminal/width.ts";

export { at, type Column, cellText, clock };

/** Where results and remarks go: the terminal, or the picture of a view that is watched. */
export interface Sink {
  print(text: string): Promise<void>;
  remark(text: string): void;
}

/** Standard output, at the pace of its reader, so that a slow reader does not fill our memory; and standard error. */
const STREAMS: Sink = {
  print: async (text) => {
    hideProgress();
    if (process.stdout.write(`${text}\n`)) return;
    await new Promise<void>((resolve) => process.stdout.once("drain", resolve));
  },
  remark: (text) => {
    hideProgress();
    process.stderr.write(`${text}\n`);
  },
};

let sink = STREAMS;

/** Sends what `work` prints to another sink. */
export async function printingTo<Result>(other: Sink, work: () => Promise<Result>): Promise<Result> {
  sink = other;
  try {
    return await work();
  } finally {
    sink = STREAMS;
  }
}

export const print = (text: string): Promise<void> => sink.print(text);

/** A remark about the progress: it is no part of the result. Texts of others in it cannot control the terminal. */
export const remark = (text: string): void => sink.remark(withoutControl(text, "\n\t"));

/** One JSON document a line. */
export async function printLines(items: readonly unknown[]): Promise<void> {
  if (items.length > 0) await print(items.map((item) => JSON.stringify(item)).join("\n"));
}

/** Aligned columns, fitted to the terminal. */
export async function printTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  nothing: string,
): Promise<void> {
  if (rows.length === 0) return remark(nothing);
  const { lines, hidden } = table(rows, columns, currentLook());
  await print(lines.join("\n"));
  if (hidden.length > 0) remark(`no room for ${hidden.join(", ")}: --wide shows all columns`);
}

/** Cuts a line at the width of a terminal. Output to a file or a pipe stays whole. */
export const cutToTerminal = (line: string): string => cutTo(line, currentLook().width);

/** Names and values. A value that is a time is shown as one. */
export async function printFields(fields: Readonly<Record<string, unknown>>): Promise<void> {
  const shown = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, shownValue(value)]));
  await print(fieldLines(shown, currentLook()).join("\n"));
}
