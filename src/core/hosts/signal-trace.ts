import * as z from "zod";

/** Command by which a host is asked what it did with signals. */
export const TRACE_COMMAND = "signal.trace";
/** Most signals of one request: an answer to a command takes 64 KiB. */
export const MAX_TRACED = 100;

export const TraceRequest = z.object({
  signals: z
    .array(z.object({ id: z.string().min(1).max(256), seq: z.int().nonnegative(), signal: z.string().max(128) }))
    .min(1)
    .max(MAX_TRACED),
});

/** A run of a reaction for one signal. */
export const TracedRun = z.object({
  reaction: z.string(),
  state: z.enum(["waiting", "running", "done", "failed"]),
  attempts: z.int(),
  error: z.string().optional(),
});
export type TracedRun = Readonly<z.infer<typeof TracedRun>>;

/** What a host did with signals. Those with which it did nothing are left out. */
export const HostTrace = z.object({
  host: z.string(),
  signals: z.array(
    z.object({
      id: z.string(),
      /** What the host reads signals of this name for, where it has received the signal: `bus`, `reactions`, … */
      received_for: z.array(z.string()),
      reactions: z.array(TracedRun),
    }),
  ),
});
export type HostTrace = Readonly<z.infer<typeof HostTrace>>;
