/** One column of a chart; `undefined`: nothing was measured. */
export type Column = number | undefined;

const EIGHTHS = ["", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/**
 * A chart in characters: columns from the smallest to the largest value, the scale on the left.
 *
 * @param height - in lines, 2 at least
 * @returns lines
 */
export function chart(columns: readonly Column[], height: number): string[] {
  const values = columns.filter((value) => value !== undefined);
  const [low, high] = [Math.min(0, ...values), Math.max(...values)];
  const range = high - low || 1;
  const scale = [figure(high), figure(low)];
  const margin = Math.max(...scale.map(({ length }) => length));
  const rows: string[] = [];
  for (let row = 0; row < height; row++) {
    const floor = height - 1 - row;
    const cells = columns.map((value) => {
      if (value === undefined) return " ";
      // At least an eighth, so that a small value differs from no value.
      const eighths = Math.max(1, Math.round(((value - low) / range) * height * 8));
      return EIGHTHS[Math.min(8, Math.max(0, eighths - floor * 8))] || " ";
    });
    const label = row === 0 ? scale[0] : row === height - 1 ? scale[1] : "";
    rows.push(`${(label ?? "").padStart(margin)} │${cells.join("")}`.trimEnd());
  }
  return rows;
}

/** Columns of as many steps as fit: the mean of those that share one, weighted by their counts. */
export function columnsOf(
  points: readonly { readonly ts: string; readonly count: number; readonly mean: number }[],
  stepMs: number,
  width: number,
): Column[] {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return [];
  const startMs = Date.parse(first.ts);
  const steps = Math.round((Date.parse(last.ts) - startMs) / stepMs) + 1;
  const perColumn = Math.ceil(steps / width);
  const columns = Array.from({ length: Math.ceil(steps / perColumn) }, () => ({ count: 0, sum: 0 }));
  for (const { ts, count, mean } of points) {
    const column = columns[Math.floor(Math.round((Date.parse(ts) - startMs) / stepMs) / perColumn)];
    if (column === undefined) continue;
    column.count += count;
    column.sum += mean * count;
  }
  return columns.map(({ count, sum }) => (count === 0 ? undefined : sum / count));
}

export const figure = (value: number) => String(Number(value.toPrecision(4)));
