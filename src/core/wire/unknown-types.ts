/** What a peer sends is bounded nowhere else: names beyond these are counted, and not told apart. */
const MAX_NAMES = 64;
const MAX_NAME_CHARACTERS = 64;

/**
 * Frames of types that this end does not know, from a peer that is newer. What they say is for those who know them: they
 * are counted, and each type is told of once.
 */
export class UnknownTypes {
  readonly #seen = new Set<string>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** @returns the type's name, for a log, the first time that it is met */
  note(type: string): string | undefined {
    this.#count++;
    const name = type.slice(0, MAX_NAME_CHARACTERS);
    if (this.#seen.has(name) || this.#seen.size >= MAX_NAMES) return undefined;
    this.#seen.add(name);
    return name;
  }
}

/**
 * The type of a frame that is none of `known`; `undefined` for everything that is no frame at all, and for a known type,
 * whose frame is wrong then.
 */
export function unknownType(frame: unknown, known: ReadonlySet<string>): string | undefined {
  if (typeof frame !== "object" || frame === null || !("type" in frame)) return undefined;
  const { type } = frame;
  return typeof type === "string" && !known.has(type) ? type : undefined;
}
