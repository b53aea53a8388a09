import type { Signal } from "../signals/signal.ts";

/** Source of the signals that rules emit. */
export const POLICY_SOURCE = "ganglion/policy";

/**
 * The signals that rules emitted in the part of the log that is simulated. The simulated rules emit signals of their own;
 * where such a signal equals a recorded one, the recorded signal takes its place: at its position in the log, with its
 * id and its delay.
 */
export class RecordedEmissions {
  readonly #beganMs: number;
  /** Ids of the signals that the simulation has not reached, by their contents. */
  readonly #ahead = new Map<string, string[]>();

  /** @param beganMs - the simulation begins then: earlier decisions have happened, whatever rules are simulated */
  constructor(beganMs = Number.NEGATIVE_INFINITY) {
    this.#beganMs = beganMs;
  }

  /** Whether the simulated rules have to emit this signal themselves. */
  covers({ source, cause, timestamp }: Signal): boolean {
    // A signal that a rule emitted names its cause and bears the time of the decision. A change of the rules has the same
    // source but no cause, and stays: rules may watch it.
    return source === POLICY_SOURCE && cause !== undefined && Date.parse(timestamp) >= this.#beganMs;
  }

  /** Adds a signal that lies ahead. It must be added before its cause is simulated. */
  add(signal: Signal): void {
    if (!this.covers(signal)) return;
    const key = contentKey(signal.cause, signal.signal, signal.timestamp, signal.facts);
    this.#ahead.set(key, [...(this.#ahead.get(key) ?? []), signal.id]);
  }

  /** Removes a signal that the simulation has reached. */
  remove(signal: Signal): void {
    if (!this.covers(signal)) return;
    const key = contentKey(signal.cause, signal.signal, signal.timestamp, signal.facts);
    const others = this.#ahead.get(key)?.filter((id) => id !== signal.id) ?? [];
    if (others.length === 0) this.#ahead.delete(key);
    else this.#ahead.set(key, others);
  }

  /** @returns ids of the recorded signals ahead that equal the one emitted at `at` because of `cause` */
  find(cause: string, name: string, at: string, facts: unknown): readonly string[] {
    return this.#ahead.get(contentKey(cause, name, at, facts)) ?? [];
  }
}

function contentKey(cause: string | undefined, name: string, at: string, facts: unknown): string {
  return JSON.stringify([cause, name, at, facts]);
}
