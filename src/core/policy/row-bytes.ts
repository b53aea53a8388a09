import type { StateRow } from "./state.ts";

/** Of a row, its places in maps and heaps, and the fields that every body has. */
const ROW_BYTES = 200;

/** What a row of state takes in memory, about. */
export function rowBytes(row: StateRow): number {
  const bytes = ROW_BYTES + row.key.length;
  switch (row.kind) {
    case "count":
      return bytes + 8 * row.body.timesMs.length;
    case "memory":
      return bytes + valueBytes(row.body.values);
    case "text":
      return bytes + 8 * (row.body.sketch.shingles.length + row.body.sketch.subject.length) + row.body.name.length;
    case "expected":
      return bytes + valueBytes(row.body.since) + valueBytes(row.body.else);
    default:
      return bytes;
  }
}

/** What a JSON value takes in memory: texts are read anew for each row, names of fields are shared. */
function valueBytes(value: unknown): number {
  if (typeof value === "string") return 16 + value.length;
  if (typeof value === "number") return 12;
  if (typeof value !== "object" || value === null) return 4;
  let bytes = 24;
  for (const one of Array.isArray(value) ? value : Object.values(value)) bytes += 4 + valueBytes(one);
  return bytes;
}
