import type { Facts, Signal } from "../../../src/core/signals/signal.ts";

/** Facts of `signal` that are copied into the signals of its reaction. */
export function passedOn({ facts }: Signal, names: readonly string[]): Facts {
  return Object.fromEntries(names.filter((name) => Object.hasOwn(facts, name)).map((name) => [name, facts[name]]));
}
