import { decodeBatches, type ProjectionBatch, type ProjectionName } from "../core/projection/batch.ts";
import { logLine } from "../durable-objects/shell/log-line.ts";
import { projectionOf } from "../durable-objects/shell/projection-ports.ts";
import type { Environment } from "./bindings/environment.ts";

/** Delay before a message that failed comes again, in seconds: 1, 2, 4, … 60. */
function backOff(attempts: number): number {
  return Math.min(60, 2 ** Math.min(attempts - 1, 6));
}

interface Share {
  readonly ecosystem: string;
  readonly projection: ProjectionName;
  readonly batches: ProjectionBatch[];
  readonly messages: Message[];
}

/**
 * Delivers the batches of the queue to the projections, one call for each projection that a batch is for. The messages may
 * come late, twice, out of order or not at all: the projections' cursors make it exact, so a message may always be
 * acknowledged or come again.
 */
export async function consume(batch: MessageBatch, env: Environment): Promise<void> {
  const shares = new Map<string, Share>();
  for (const message of batch.messages) {
    try {
      const { ecosystem, batches } = decodeBatches(String(message.body));
      for (const part of batches) {
        const key = `${ecosystem} ${part.projection}`;
        const share = shares.get(key) ?? { ecosystem, projection: part.projection, batches: [], messages: [] };
        share.batches.push(part);
        share.messages.push(message);
        shares.set(key, share);
      }
    } catch (error) {
      // No signal is lost with the message: the log holds them, and its alarm notifies the projections.
      logLine("error", "message-unreadable", { message: message.id, error });
      message.ack();
    }
  }
  const failed = new Set<Message>();
  await Promise.all(
    [...shares.values()].map(async ({ ecosystem, projection, batches, messages }) => {
      try {
        // In the order of the log, so that messages that the queue reordered do not look like a gap.
        await projectionOf(env, projection, ecosystem).project(batches.sort((a, b) => a.through - b.through));
      } catch (error) {
        logLine("warn", "projection-failed", { ecosystem, object: projection, error });
        for (const message of messages) failed.add(message);
      }
    }),
  );
  for (const message of failed) message.retry({ delaySeconds: backOff(message.attempts) });
  for (const message of batch.messages) if (!failed.has(message)) message.ack();
}
