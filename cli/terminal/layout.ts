/**
 * What a column is worth where room is short. `key` and `state` decide what a row is about: they stay whole. `text` is cut
 * and stays. `whole`, such as a time or an id, is of no use when it is cut: it stays whole or goes. Any other is cut, or goes.
 */
export type ColumnKind = "key" | "state" | "text" | "whole" | "plain";

export interface Measured {
  readonly kind: ColumnKind;
  /** Width of the title. */
  readonly title: number;
  /** Width of the widest cell, or of the title. */
  readonly natural: number;
}

export const GAP = 2;
/** A column is not cut below its title, and not below this width. */
const LEAST = { plain: 8, text: 16 } as const;

/**
 * Widths that fit; `undefined` for a column that must go. Columns that may be cut are cut to one common width. If that is
 * not enough, columns go from the right. What stays whole may still be too wide: such lines are cut.
 */
export function fitColumns(columns: readonly Measured[], room: number): (number | undefined)[] {
  const widths: (number | undefined)[] = columns.map(({ natural }) => natural);
  for (;;) {
    const shown = columns.flatMap((column, place) => (widths[place] === undefined ? [] : [{ column, place }]));
    const free = room - GAP * (shown.length - 1);
    const cap = commonWidth(
      shown.map(({ column }) => column),
      free,
    );
    for (const { column, place } of shown) widths[place] = widthAt(column, cap);
    const used = shown.reduce((sum, { column }) => sum + widthAt(column, cap), 0);
    const leaving = shown.findLast(({ column: { kind } }) => kind === "plain" || kind === "whole");
    if (used <= free || leaving === undefined) return widths;
    widths[leaving.place] = undefined;
  }
}

/** The largest width to which all that may be cut can be cut so that they fit; 0 where none is small enough. */
function commonWidth(columns: readonly Measured[], free: number): number {
  let [low, high] = [0, Math.max(0, ...columns.map(({ natural }) => natural))];
  while (low < high) {
    const cap = Math.ceil((low + high) / 2);
    if (columns.reduce((sum, column) => sum + widthAt(column, cap), 0) <= free) low = cap;
    else high = cap - 1;
  }
  return low;
}

function widthAt({ kind, title, natural }: Measured, cap: number): number {
  if (kind !== "plain" && kind !== "text") return natural;
  return Math.min(natural, Math.max(cap, title, LEAST[kind]));
}
