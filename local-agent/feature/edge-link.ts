import type { EdgeRound } from "../../src/core/hosts/edge-vitals.ts";

export interface LinkState {
  readonly state: "connecting" | "connected" | "waiting" | "stopped";
  readonly detail: string;
}

/** The connection to the edge, as features see it. */
export interface EdgeLink {
  readonly state: LinkState;
  /** @returns a function that removes the listener */
  onChange(listener: () => void): () => void;
}

/**
 * Answers the edge when it asks for facts that only this host knows.
 *
 * @param after - where to continue, by the name of the monitor
 * @param round - what the edge says of its round; `undefined`: somebody else asks, or the edge is of an earlier version
 */
export type GatherFacts = (
  monitors: readonly string[],
  after: Readonly<Record<string, string>>,
  round: EdgeRound | undefined,
) => Promise<Readonly<Record<string, unknown>>>;
