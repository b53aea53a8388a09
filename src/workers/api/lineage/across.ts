import { authorise, type Grant } from "../../../core/access/grant.ts";
import type { ChainForward, UpstreamChain } from "../../../core/lineage/api.ts";
import { causesOf, type LineageSource } from "../../../core/lineage/lineage.ts";
import type { Decision } from "../../../core/policy/decision.ts";
import { LIMITS } from "../../../core/signals/limits.ts";
import type { Signal } from "../../../core/signals/signal.ts";
import { readSignalLine } from "../../../core/signals/signal-line.ts";
import type { Environment } from "../../bindings/environment.ts";
import { policyState, signalLog } from "../../bindings/objects.ts";

/** Decisions of one ecosystem in one chain, and forwarded signals that are looked up. */
const MAX_DECISIONS = 200;
const MAX_FORWARDS = 100;

export const mayRead = (grant: Grant, ecosystem: string) =>
  authorise(grant, "signals:read", ecosystem, Date.now()) === "allowed";

/**
 * Follows a chain into the ecosystems from which it was forwarded, as far as the token may read there.
 *
 * @param first - the first cause that its own log knows
 * @param sourceOf - reads the log of an ecosystem
 */
export async function upstreamOf(
  env: Environment,
  grant: Grant,
  first: Signal,
  sourceOf: (ecosystem: string) => LineageSource,
): Promise<UpstreamChain[]> {
  const chains: UpstreamChain[] = [];
  for (let { via } = first; via !== undefined && chains.length <= LIMITS.hops; ) {
    const { ecosystem } = via;
    const part = { ecosystem, via, signals: [], decisions: [] };
    if (!mayRead(grant, ecosystem)) return [...chains, { ...part, readable: false }];
    const { seq, id } = via;
    const page = await signalLog(env, ecosystem).read({ signals: [], after: seq - 1, limit: 1, order: "asc" });
    const [line] = page.lines;
    const signal = line === undefined ? undefined : readSignalLine(line);
    // The retention dropped it, or the log was lost and holds another signal there.
    if (signal?.id !== id) return [...chains, { ...part, readable: true, missing_cause: id }];
    const { causes, missing_cause } = await causesOf(signal, sourceOf(ecosystem));
    const signals: Signal[] = [...causes, signal];
    const seqs = signals.map((one) => one.seq);
    const decisions = await policyState(env, ecosystem).decisionsOn(seqs, MAX_DECISIONS);
    chains.push({
      ...part,
      readable: true,
      signals,
      decisions,
      ...(missing_cause === undefined ? {} : { missing_cause }),
    });
    via = signals[0]?.via;
  }
  return chains;
}

/** What rules forwarded, and what became of it in the other ecosystems. */
export async function forwardsOf(
  env: Environment,
  grant: Grant,
  decisions: readonly Decision[],
): Promise<ChainForward[]> {
  const named = decisions.flatMap(({ forwards = [], signal, rule }) =>
    forwards.map((forward) => ({ ...forward, cause: signal.id, rule })),
  );
  return Promise.all(
    named.slice(0, MAX_FORWARDS).map(async (forward): Promise<ChainForward> => {
      if (forward.refused !== undefined) return { ...forward, state: "refused" };
      if (!mayRead(grant, forward.ecosystem)) return { ...forward, state: "unreadable" };
      const line = await signalLog(env, forward.ecosystem).find(forward.forward_id);
      if (line === null) return { ...forward, state: "unknown" };
      return { ...forward, state: "arrived", seq: readSignalLine(line).seq };
    }),
  );
}
