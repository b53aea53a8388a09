import * as z from "zod";
import type { RoundJob as Job } from "../../core/hosts/monitors/round-jobs.ts";
import type { Environment } from "../bindings/environment.ts";
import { carryOut } from "./run-jobs.ts";

/** The name in `wrangler.toml`, to which environments append their own. */
export const ROUNDS_QUEUE = "ganglion-rounds";
/** Jobs of each minute are skipped once their minute is over. */
const STALE_MS = 90_000;
/** Messages in one call, which may hold 256 KB. One of 400 jobs has 45 KB where names are as long as they may be. */
const MESSAGES = 5;

const RoundJob = z.union([
  z.object({ what: z.enum(["nudge", "ask", "retain", "count", "export"]), ecosystem: z.string() }),
  z.object({ what: z.literal("close"), ecosystem: z.string(), token: z.string() }),
]);
/** The body of a message. */
const Share = z.object({ at_ms: z.number(), jobs: z.array(RoundJob).readonly() });
type Share = z.infer<typeof Share>;

/** Whether a queue of this deployment is the one with the shares of rounds; the other one has signals. */
export const isRoundsQueue = (queue: string) => queue === ROUNDS_QUEUE || queue.startsWith(`${ROUNDS_QUEUE}-`);

/** Sends each share to the queue, so that an invocation of its own carries it out. */
export async function sendShares(queue: Queue, shares: readonly (readonly Job[])[], nowMs: number): Promise<void> {
  for (let first = 0; first < shares.length; first += MESSAGES) {
    const bodies = shares.slice(first, first + MESSAGES).map((jobs): Share => ({ at_ms: nowMs, jobs }));
    await queue.sendBatch(bodies.map((body) => ({ body: JSON.stringify(body), contentType: "text" as const })));
  }
}

/**
 * Carries out the jobs that the queue delivers. A message that comes twice does no harm; the jobs of a lost message are done
 * in the next minute's round.
 */
export async function consumeRounds(batch: MessageBatch, env: Environment, nowMs: number): Promise<void> {
  for (const message of batch.messages) {
    const { at_ms, jobs } = Share.parse(JSON.parse(String(message.body)));
    const fresh = nowMs - at_ms < STALE_MS;
    await carryOut(
      env,
      jobs.filter(({ what }) => fresh || what === "retain" || what === "close"),
    );
    message.ack();
  }
}
