import { bridgeProducer } from "../signals/bridge-names.ts";
import { hashKey } from "../signals/log/key-filter.ts";

/** How far the numbers of what goes to one ecosystem have come. */
export interface Bridge {
  readonly epoch: string;
  /** Of the last signal that was forwarded. */
  readonly number: number;
}

/** Numbers the signals that an ecosystem forwards, for each ecosystem that they go to. */
export class BridgeCounter {
  readonly #own: string;
  readonly #bridges: Map<string, Bridge>;

  /** @param own - the ecosystem that forwards */
  constructor(own: string, bridges: Iterable<readonly [ecosystem: string, bridge: Bridge]> = []) {
    this.#own = own;
    this.#bridges = new Map(bridges);
  }

  get(ecosystem: string): Bridge | undefined {
    return this.#bridges.get(ecosystem);
  }

  /** @param newEpoch - of the first number @returns the id that the next signal for `ecosystem` has there */
  next(ecosystem: string, newEpoch: () => string): string {
    const { epoch, number } = this.#bridges.get(ecosystem) ?? { epoch: newEpoch(), number: 0 };
    this.#bridges.set(ecosystem, { epoch, number: number + 1 });
    return `${bridgeProducer(this.#own, epoch)}.${number + 1}`;
  }

  /**
   * Numbers begin anew under another name, because the log of `ecosystem` holds other signals under the old one. The name
   * follows from the place at which the two differ: an ecosystem that is set back once more, and comes to the same place
   * again, repeats the numbers that it gave out there.
   *
   * @param at - names the first signal that the log does not hold
   */
  renew(ecosystem: string, at: string): void {
    const before = this.#bridges.get(ecosystem)?.epoch ?? "";
    const epoch = hashKey("producer", `${before} ${at}`).toString(16).padStart(8, "0");
    this.#bridges.set(ecosystem, { epoch, number: 0 });
  }
}
