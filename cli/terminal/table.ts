import { cellText } from "./cell.ts";
import { paint, toneOf } from "./colour.ts";
import { type ColumnKind, fitColumns, GAP } from "./layout.ts";
import type { Look } from "./look.ts";
import { cutTo, padTo, widthOf, wrap } from "./width.ts";

export type Column<Row> = readonly [title: string, cell: (row: Row) => unknown, kind?: ColumnKind];

export interface Table {
  readonly lines: readonly string[];
  /** Titles of columns for which there was no room. */
  readonly hidden: readonly string[];
}

export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], look: Look): Table {
  const cells = rows.map((row) => columns.map(([, cell]) => cellText(cell(row))));
  const naturals = columns.map(([title], place) =>
    cells.reduce((widest, line) => Math.max(widest, widthOf(line[place] ?? "")), title.length),
  );
  const line = lineWriter(columns, naturals, look);
  return { lines: [line.heading(), ...cells.map(line.cells)], hidden: line.hidden };
}

/**
 * Writes lines one by one, for rows that come as time goes on.
 *
 * @param naturals - widths that the columns would like to have; the last one takes what it needs
 */
export function lineWriter<Row>(columns: readonly Column<Row>[], naturals: readonly number[], look: Look) {
  const kinds = columns.map(([, , kind = "plain"]) => kind);
  const widths = fitColumns(
    columns.map(([title], place) => ({
      kind: kinds[place] ?? "plain",
      title: title.length,
      natural: naturals[place] ?? title.length,
    })),
    look.width,
  );
  const last = widths.findLastIndex((width) => width !== undefined);
  const join = (line: readonly string[], tones: (cell: string, place: number) => ReturnType<typeof toneOf>) => {
    const parts: string[] = [];
    let left = look.width;
    for (const [place, text] of line.entries()) {
      const width = widths[place];
      if (width === undefined || left <= 0) continue;
      // Without a terminal's width nothing is cut: cells that are wider than the others move the rest of their line.
      const room = look.width === Number.POSITIVE_INFINITY ? width : Math.min(width, left);
      const cut = look.width === Number.POSITIVE_INFINITY ? text : cutTo(text, place === last ? left : room);
      const padded = place === last ? cut : padTo(cut, room);
      parts.push(look.colour ? paint(padded, tones(cut, place)) : padded);
      left -= Math.max(room, place === last ? 0 : widthOf(cut)) + GAP;
    }
    return parts.join(" ".repeat(GAP)).trimEnd();
  };
  const cells = (line: readonly string[]) =>
    join(line, (cell, place) => (kinds[place] === "state" ? toneOf(cell) : undefined));
  return {
    hidden: columns.flatMap(([title], place) => (widths[place] === undefined ? [title] : [])),
    heading: () =>
      join(
        columns.map(([title]) => title),
        () => "heading",
      ),
    cells,
    row: (row: Row) => cells(columns.map(([, cell]) => cellText(cell(row)))),
  };
}

/** Names and values, one under the other; a long value goes on under its beginning. */
export function fieldLines(fields: Readonly<Record<string, unknown>>, look: Look): string[] {
  const entries = Object.entries(fields).map(([name, value]) => [cellText(name), cellText(value)] as const);
  const width = entries.reduce((widest, [name]) => Math.max(widest, widthOf(name)), 0);
  const room = Math.max(20, look.width - width - GAP);
  return entries.flatMap(([name, value]) => {
    const tone = name === "state" || name === "status" || name === "edge" ? toneOf(value) : undefined;
    return wrap(value, room).map((line, place) => {
      const label = padTo(place === 0 ? name : "", width);
      return look.colour ? `${paint(label, "quiet")}  ${paint(line, tone)}` : `${label}  ${line}`.trimEnd();
    });
  });
}
