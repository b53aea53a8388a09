import * as z from "zod";

/**
 * The protocol of the local socket: the caller sends one line of JSON, a {@link Request}, and receives one line, an
 * {@link Answer}. Then the connection ends.
 */
export const Request = z.object({ type: z.string().min(1).max(128), payload: z.unknown().optional() });
export type Request = z.infer<typeof Request>;

/** `refused`: the caller can fix the error. `failed`: the command was tried. */
export const Answer = z.union([
  z.object({ result: z.unknown() }),
  z.object({ error: z.object({ kind: z.enum(["refused", "failed"]), message: z.string() }) }),
]);
export type Answer = z.infer<typeof Answer>;

/** Longest line, in bytes. */
export const MAX_LINE_BYTES = 4 * 1024 * 1024;
