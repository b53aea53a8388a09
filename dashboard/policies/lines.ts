/** One line of a comparison of two texts. */
export interface LineChange {
  readonly kind: "same" | "added" | "removed";
  readonly text: string;
}

/** Lines beyond which two texts are shown as removed and added, without a search for what they share. */
const MAX_LINES = 1_500;

/** Compares two texts line by line. */
export function lineChanges(before: string, after: string): LineChange[] {
  const [a, b] = [before.split("\n"), after.split("\n")];
  if (a.length * b.length > MAX_LINES ** 2) {
    return [...a.map((text) => change("removed", text)), ...b.map((text) => change("added", text))];
  }
  const shared = sharedLengths(a, b);
  const width = b.length + 1;
  const changes: LineChange[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i], b[j]];
    if (left !== undefined && left === right) {
      changes.push(change("same", left));
      i++;
      j++;
    } else if (
      left !== undefined &&
      (right === undefined || at(shared, (i + 1) * width + j) >= at(shared, i * width + j + 1))
    ) {
      changes.push(change("removed", left));
      i++;
    } else {
      changes.push(change("added", right ?? ""));
      j++;
    }
  }
  return changes;
}

const change = (kind: LineChange["kind"], text: string): LineChange => ({ kind, text });
const at = (table: Uint16Array, place: number): number => table[place] ?? 0;

/** At `i * (b.length + 1) + j`: how many lines the rests behind i and j share. */
function sharedLengths(a: readonly string[], b: readonly string[]): Uint16Array {
  const width = b.length + 1;
  const table = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i * width + j] =
        a[i] === b[j]
          ? at(table, (i + 1) * width + j + 1) + 1
          : Math.max(at(table, (i + 1) * width + j), at(table, i * width + j + 1));
    }
  }
  return table;
}
