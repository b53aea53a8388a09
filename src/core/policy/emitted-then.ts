import type { Signal } from "../signals/signal.ts";

/** Who emits what rules emit. */
export const POLICY_SOURCE = "ganglion/policy";

/**
 * What rules emitted in the stretch of the log that is simulated. The rules that are tried emit their own; where that is
 * the same, it comes to them as it came then: at its place in the log, with its id, as late as it was.
 */
export class EmittedThen {
  readonly #beganMs: number;
  /** Ids of those that are still to come, by what they are. */
  readonly #coming = new Map<string, string[]>();

  /** @param beganMs - what was decided before this time has happened, whatever rules are tried */
  constructor(beganMs = Number.NEGATIVE_INFINITY) {
    this.#beganMs = beganMs;
  }

  /** Whether it is for the rules that are tried to emit this. */
  has({ source, cause, timestamp }: Signal): boolean {
    // What a rule emitted names its cause; a change of the rules does not, and may concern a rule. It bears the time of
    // the decision.
    return source === POLICY_SOURCE && cause !== undefined && Date.parse(timestamp) >= this.#beganMs;
  }

  /** Tells of a signal that is to come. Those that soon follow what led to them have to be known by then. */
  add(signal: Signal): void {
    if (!this.has(signal)) return;
    const what = whatOf(signal.cause, signal.signal, signal.timestamp, signal.facts);
    this.#coming.set(what, [...(this.#coming.get(what) ?? []), signal.id]);
  }

  /** Tells that it has come. */
  remove(signal: Signal): void {
    if (!this.has(signal)) return;
    const what = whatOf(signal.cause, signal.signal, signal.timestamp, signal.facts);
    const others = this.#coming.get(what)?.filter((id) => id !== signal.id) ?? [];
    if (others.length === 0) this.#coming.delete(what);
    else this.#coming.set(what, others);
  }

  /** Ids of what is to come and is the same as what was emitted at `at` because of `cause`. */
  find(cause: string, name: string, at: string, facts: unknown): readonly string[] {
    return this.#coming.get(whatOf(cause, name, at, facts)) ?? [];
  }
}

function whatOf(cause: string | undefined, name: string, at: string, facts: unknown): string {
  return JSON.stringify([cause, name, at, facts]);
}
