import * as z from "zod";
import type { SenderRange } from "../signals/log/senders.ts";

/** The projections of the log; each lies in an object of its own. */
export const PROJECTIONS = ["observations", "policy", "workers"] as const;
export type ProjectionName = (typeof PROJECTIONS)[number];

/** A range of the log on its way to a projection, with those of its signals to which the projection is subscribed. */
export interface ProjectionBatch {
  readonly projection: ProjectionName;
  /** Epoch of the log that sent it; missing in messages of earlier versions. */
  readonly log?: string | undefined;
  /** Where the batch sent to this projection before ends. */
  readonly after: number;
  readonly through: number;
  /** The signals, a JSON text each; `undefined`: they are too large for a queue message, read them from the log. */
  readonly lines: readonly string[] | undefined;
  /** Who sent the signals whose ids do not say so. */
  readonly senders?: readonly SenderRange[];
}

/** Signals that a projection reads from the log itself. */
export interface LogStretch {
  readonly lines: readonly string[];
  /** How far the log was searched for them. */
  readonly through: number;
  /** Who sent the signals whose ids do not say so. */
  readonly senders: readonly SenderRange[];
}

/** Size of the body of a queue message: a head, then the lines of its batches. Cloudflare's limit is 128 KB. */
export const QUEUE_BYTES = 120_000;

/** The first line of a message. `lines` is the number of lines of the batch that follow, `null` where it carries none. */
const Head = z.object({
  ecosystem: z.string(),
  /**
   * Two deployments of one account that name their queues alike read each other's messages, and an ecosystem of the same
   * name may be in both: the epoch tells their logs apart.
   */
  log: z.string().optional(),
  parts: z.array(
    z.object({
      projection: z.enum(PROJECTIONS),
      after: z.number(),
      through: z.number(),
      lines: z.number().nullable(),
      senders: z.array(z.tuple([z.string(), z.number(), z.number()]).readonly()).optional(),
    }),
  ),
});
type Head = z.infer<typeof Head>;

/** Joins the lines, which are JSON already, so that no hop parses and quotes them again. */
export function encodeBatches(ecosystem: string, log: string, batches: readonly ProjectionBatch[]): string {
  const head: Head = {
    ecosystem,
    log,
    parts: batches.map(({ projection, after, through, lines, senders }) => ({
      projection,
      after,
      through,
      lines: lines === undefined ? null : lines.length,
      ...(lines === undefined || senders === undefined || senders.length === 0 ? {} : { senders: [...senders] }),
    })),
  };
  return [JSON.stringify(head), ...batches.flatMap((batch) => batch.lines ?? [])].join("\n");
}

/** @throws SyntaxError, ZodError or TypeError when {@link encodeBatches} did not make `body` */
export function decodeBatches(body: string): { ecosystem: string; batches: ProjectionBatch[] } {
  const [first = "", ...lines] = body.split("\n");
  const head = Head.parse(JSON.parse(first));
  let taken = 0;
  const batches = head.parts.map(({ projection, after, through, lines: count, senders }) => {
    const own = count === null ? undefined : lines.slice(taken, taken + count);
    taken += count ?? 0;
    return { projection, log: head.log, after, through, lines: own, ...(senders === undefined ? {} : { senders }) };
  });
  if (taken !== lines.length) throw new TypeError(`a queue message names ${taken} lines and holds ${lines.length}`);
  return { ecosystem: head.ecosystem, batches };
}
