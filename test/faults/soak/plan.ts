import type { Rng } from "../rng.ts";

/** Processes that are ended by SIGKILL, with everything that they started. */
export const KILLED = ["agent", "neighbour", "edge", "worker", "responder", "bus"] as const;
/** What else befalls them. */
const OTHERS = ["clone", "set back", "network", "disk", "edge disk"] as const;
export type Fault = (typeof KILLED)[number] | (typeof OTHERS)[number];

/** How often each is chosen. Edge and agent hold the most state. */
const WEIGHTED = [
  "edge",
  "edge",
  "edge",
  "agent",
  "agent",
  "agent",
  "neighbour",
  "worker",
  "worker",
  "responder",
  "bus",
];
/** Kills for each of the other faults. */
const KILLS_FOR_ANOTHER = 4;

/**
 * `kills` kills and a quarter as many other faults, in an order that the seed gives. Each kind comes once before any comes
 * again, so that a short run has all of them. Hosts come first: the tasks that they hold wait for the end of their leases.
 *
 * @param canFill - whether disks can be filled here
 */
export function planFaults(rng: Rng, kills: number, canFill: boolean): readonly Fault[] {
  const others = OTHERS.filter((fault) => canFill || !fault.endsWith("disk"));
  const weighted = WEIGHTED as [Fault, ...Fault[]];
  const killed = Array.from({ length: kills }, (_, place) => KILLED[place] ?? rng.pick(weighted));
  const count = Math.max(others.length, Math.floor(kills / KILLS_FOR_ANOTHER));
  const mixed = Array.from({ length: count }, (_, place) => others[place] ?? rng.pick(others as [Fault, ...Fault[]]));
  const plan: Fault[] = [];
  for (let place = 0; place < Math.max(kills, count); place++) {
    plan.push(...killed.slice(place, place + 1));
    // Spread over the whole run.
    const upTo = Math.ceil(((place + 1) * count) / Math.max(kills, count));
    const from = Math.ceil((place * count) / Math.max(kills, count));
    plan.push(...mixed.slice(from, upTo));
  }
  return plan;
}
