import type { Facts, Signal } from "../../../src/core/signals/signal.ts";

/** Facts of `signal` that go along into what is said about it. */
export function passedOn({ facts }: Signal, names: readonly string[]): Facts {
  return Object.fromEntries(names.filter((name) => name in facts).map((name) => [name, facts[name]]));
}
