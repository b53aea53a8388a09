import * as z from "zod";
import { REFUSAL_CODES } from "../../src/core/hosts/agent-socket.ts";

/**
 * The protocol of the local socket: the caller sends one line of JSON, a {@link Request}, and receives one line, an
 * {@link Answer}. Then the connection ends.
 */
export const Request = z.object({ type: z.string().min(1).max(128), payload: z.unknown().optional() });
export type Request = z.infer<typeof Request>;

const Failure = z.object({
  /** `refused`: the caller can fix the error. `failed`: the command was tried. */
  kind: z.enum(["refused", "failed"]),
  message: z.string(),
  /** For programs; absent: the message alone says why. */
  code: z.enum(REFUSAL_CODES).optional(),
});

export const Answer = z.union([z.object({ result: z.unknown() }), z.object({ error: Failure })]);
export type Answer = z.infer<typeof Answer>;
