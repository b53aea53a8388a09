/** Which rows of a list of rows of one height are drawn. */
export interface RowWindow {
  readonly first: number;
  /** Behind the last. */
  readonly end: number;
}

/** Rows beyond the edges that are drawn ahead. */
const AHEAD = 6;

export function windowOf(scrollTop: number, height: number, rowHeight: number, count: number): RowWindow {
  const first = Math.max(0, Math.min(count, Math.floor(scrollTop / rowHeight) - AHEAD));
  return { first, end: Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + AHEAD) };
}

/** The row to which a key leads; `undefined`: the key means nothing here. */
export function rowAfterKey(key: string, at: number, count: number, page: number): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    PageDown: at + page,
    PageUp: at - page,
    Home: 0,
    End: count - 1,
  };
  const target = steps[key];
  return target === undefined || count === 0 ? undefined : Math.max(0, Math.min(count - 1, target));
}

/** How far to scroll so that a row is seen. */
export function scrollFor(row: number, scrollTop: number, height: number, rowHeight: number): number {
  const top = row * rowHeight;
  if (top < scrollTop) return top;
  return top + rowHeight > scrollTop + height ? top + rowHeight - height : scrollTop;
}
