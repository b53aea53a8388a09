import type { Party } from "../collections/fair-queue.ts";
import { forwardedBy } from "../signals/bridge-names.ts";
import { EDGE } from "../signals/log/senders.ts";
import type { Signal } from "../signals/signal.ts";

/** Who has used up a share of a rule. */
export interface SpentShare {
  readonly party: Party;
  readonly limit: number;
}

/**
 * To whom a signal is charged. The edge's own signals are charged to nobody, but for gaps and for what was forwarded: those
 * are charged to who sent the samples behind them, and to the ecosystem that they came from.
 *
 * @param sender - see senders.ts; `undefined`: it is not known, as in a simulation
 */
export function partyOf({ source, facts }: Signal, sender: string | undefined): Party | undefined {
  if (sender !== undefined && sender !== EDGE) return { sender, source };
  if (sender === undefined || !source.startsWith("ganglion/")) return undefined;
  const from = forwardedBy(source);
  if (from !== undefined) return { sender: `ecosystem:${from}`, source };
  const { metadata } = facts;
  return isParty(metadata) ? { sender: metadata.sender, source: metadata.source } : undefined;
}

function isParty(value: unknown): value is Party {
  if (typeof value !== "object" || value === null) return false;
  const { sender, source } = value as Record<string, unknown>;
  return typeof sender === "string" && typeof source === "string";
}
