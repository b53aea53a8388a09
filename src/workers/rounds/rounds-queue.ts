import type { RoundJob } from "../../core/hosts/monitors/round-jobs.ts";
import type { Environment } from "../environment.ts";
import { carryOut } from "./run-jobs.ts";

/** As `wrangler.toml` names it; `wrangler dev` and the tests may put something behind it. */
export const ROUNDS_QUEUE = "ganglion-rounds";
/** What is done each minute is not done for a minute that is over. */
const STALE_MS = 90_000;
/** Messages in one call, which may hold 256 KB. One of 400 jobs has 45 KB where names are as long as they may be. */
const MESSAGES = 5;

interface Share {
  readonly at_ms: number;
  readonly jobs: readonly RoundJob[];
}

/** Has each share carried out by an invocation of its own. */
export async function sendShares(queue: Queue, shares: readonly (readonly RoundJob[])[], nowMs: number): Promise<void> {
  for (let first = 0; first < shares.length; first += MESSAGES) {
    const bodies = shares.slice(first, first + MESSAGES).map((jobs): Share => ({ at_ms: nowMs, jobs }));
    await queue.sendBatch(bodies.map((body) => ({ body: JSON.stringify(body), contentType: "text" as const })));
  }
}

/**
 * Carries out what the queue brings. It may come twice, which does no harm, or not at all: then the next minute's round
 * does it.
 */
export async function consumeRounds(batch: MessageBatch, env: Environment, nowMs: number): Promise<void> {
  for (const message of batch.messages) {
    const { at_ms, jobs } = JSON.parse(String(message.body)) as Share;
    const fresh = nowMs - at_ms < STALE_MS;
    await carryOut(
      env,
      jobs.filter(({ what }) => fresh || what === "retain" || what === "close"),
    );
    message.ack();
  }
}
