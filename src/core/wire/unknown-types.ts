/** A peer may send any number of names: frames beyond this many names are counted and their names not remembered. */
const MAX_NAMES = 64;
const MAX_NAME_CHARACTERS = 64;

/** Counts frames of types that this end does not know, sent by a newer peer. They are ignored, and each type is logged once. */
export class UnknownTypes {
  readonly #seen = new Set<string>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** @returns the name of the type, for the log, when it occurs for the first time */
  note(type: string): string | undefined {
    this.#count++;
    const name = type.slice(0, MAX_NAME_CHARACTERS);
    if (this.#seen.has(name) || this.#seen.size >= MAX_NAMES) return undefined;
    this.#seen.add(name);
    return name;
  }
}

/** The type of a frame if it is not among `known`; `undefined` for a value that is no frame, and for a known type. */
export function unknownType(frame: unknown, known: ReadonlySet<string>): string | undefined {
  if (typeof frame !== "object" || frame === null || !("type" in frame)) return undefined;
  const { type } = frame;
  return typeof type === "string" && !known.has(type) ? type : undefined;
}
