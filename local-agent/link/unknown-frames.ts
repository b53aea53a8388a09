import { UnknownTypes } from "../../src/core/wire/unknown-types.ts";
import type { Logger } from "../base/log.ts";

/** Frames of types that this agent does not know, which it skips: counted, and each type logged once. */
export class UnknownFrames {
  readonly #types = new UnknownTypes();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  get count(): number {
    return this.#types.count;
  }

  skip(name: string): void {
    const type = this.#types.note(name);
    if (type === undefined) return;
    this.#log.warn(
      { type },
      "link: skipping frames of a type that this agent does not know: update the agent if it is older than the edge",
    );
  }
}
