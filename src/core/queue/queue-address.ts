/** A queue as people name it: of their own ecosystem by its name, of another as `<ecosystem>/<queue>`. */
export interface QueueAddress {
  readonly ecosystem: string;
  readonly queue: string;
}

/** @param own - the ecosystem that is meant where none is named */
export function readQueueAddress(text: string, own: string): QueueAddress {
  // Neither name holds a slash.
  const slash = text.indexOf("/");
  return slash < 0
    ? { ecosystem: own, queue: text }
    : { ecosystem: text.slice(0, slash), queue: text.slice(slash + 1) };
}
