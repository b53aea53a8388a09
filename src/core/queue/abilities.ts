import type { Entry } from "./entry.ts";
import type { HostLoads } from "./host-loads.ts";
import { type Abilities, gpuMemoryOf, labelNeed } from "./needs.ts";

/** What a worker says of itself. */
export interface WorkerClaims {
  readonly skills?: readonly string[] | undefined;
  /** The host that it runs on. */
  readonly host?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** What a worker has. Its skills and labels stay; what its host has changes with each sample and each task. */
class PlacedAbilities implements Abilities {
  readonly #fixed: ReadonlySet<string>;
  readonly #host: string;
  readonly #loads: HostLoads;

  constructor(fixed: ReadonlySet<string>, host: string, loads: HostLoads) {
    this.#fixed = fixed;
    this.#host = host;
    this.#loads = loads;
  }

  get size(): number {
    return this.#fixed.size + 1;
  }

  has(need: string): boolean {
    const mb = gpuMemoryOf(need);
    return mb === undefined ? this.#fixed.has(need) : this.#loads.hasGpuMemory(this.#host, mb);
  }
}

/** The fields of a waiter that follow from what its worker says of itself. */
export function placedBy({ skills, host, labels = {} }: WorkerClaims, loads: HostLoads) {
  const fixed = new Set([...(skills ?? []), ...Object.entries(labels).map(([name, value]) => labelNeed(name, value))]);
  const plain = skills === undefined && fixed.size === 0 ? undefined : fixed;
  if (host === undefined) return { skills: plain };
  return {
    skills: new PlacedAbilities(fixed, host, loads),
    host,
    load: () => loads.load(host),
    took: (entry: Entry) => loads.gave(host, entry),
  };
}
