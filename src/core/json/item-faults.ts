import type { FieldError } from "../problem/field-error.ts";
import type { JsonFault } from "./find-faults.ts";

/** Errors that are told of one item. */
const MAX_ERRORS = 10;

/** What is wrong with the items of a document, by the JSON pointer of the item. */
export type ItemFaults = ReadonlyMap<string, readonly FieldError[]>;

/** @param item - matches the part of a pointer that leads to an item */
export function faultsByItem(faults: Iterable<JsonFault>, item: RegExp): ItemFaults {
  const found = new Map<string, FieldError[]>();
  for (const { pointer, message } of faults) {
    const key = item.exec(pointer)?.[0] ?? "";
    const errors = found.get(key);
    if (errors === undefined) found.set(key, [{ pointer, message }]);
    else if (errors.length < MAX_ERRORS) errors.push({ pointer, message });
  }
  return found;
}
