import { logLine } from "./log-line.ts";

/**
 * Reads stored rows, and leaves out those that cannot be read: one damaged row, or one of another version, must not keep an
 * object from starting. The row stays where it is, and the log names it.
 *
 * @param what - the kind of row, for the log
 */
export function* readableRows<Row, Value>(
  what: string,
  rows: Iterable<Row>,
  read: (row: Row) => Value,
  unreadable: (row: Row, error: unknown) => void = () => undefined,
): Generator<Value> {
  for (const row of rows) {
    let value: Value;
    try {
      value = read(row);
    } catch (error) {
      logLine("error", "stored-row-unreadable", { object: what, error });
      unreadable(row, error);
      continue;
    }
    yield value;
  }
}

/**
 * Reads one stored value, such as the settings of an object. One that cannot be read gives its default: the object starts,
 * and the log names the value.
 *
 * @param text - `undefined`: nothing is stored
 */
export function readableOr<Value>(
  what: string,
  text: string | undefined,
  read: (text: string) => Value,
  otherwise: Value,
): Value {
  if (text === undefined) return otherwise;
  const [value] = [...readableRows(what, [text], read)];
  return value ?? otherwise;
}
