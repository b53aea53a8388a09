import * as z from "zod";
import { Problem } from "../problem/problem.ts";
import { LockAcquisition, LockBlocker, LockHeld, LockNotHeld, LockRelease, LockRenewal } from "./api.ts";
import { lockNameProblem } from "./lock-name.ts";

/**
 * Frames of the channel for locks (JSON text, one frame a message). The object that decides about locks holds the other end, so
 * that a request and its answer are one message each, without a hop.
 */
export const LOCK_PROTOCOL = "ganglion.locks.v1";

/** Refuses a text that cannot name a lock. */
export function checkLockName(name: string, context: z.RefinementCtx): void {
  const message = lockNameProblem(name);
  if (message !== undefined) context.addIssue({ code: "custom", message });
}

const LockNameText = z.string().superRefine(checkLockName);
const FrameId = z
  .string()
  .regex(/^[\x21-\x7e]{1,64}$/, { message: "an id has 1 to 64 characters from ! to ~" })
  .meta({ description: "Chosen by the sender, repeated in the answer" });

/** As `POST …/acquire`. One that is sent again while it waits is answered once. */
export const AcquireFrame = z.strictObject({
  type: z.literal("acquire"),
  id: FrameId,
  name: LockNameText,
  ...LockAcquisition.shape,
});
export const RenewFrame = z.strictObject({
  type: z.literal("renew"),
  id: FrameId,
  name: LockNameText,
  ...LockRenewal.shape,
});
export const ReleaseLockFrame = z.strictObject({
  type: z.literal("release"),
  id: FrameId,
  name: LockNameText,
  ...LockRelease.shape,
});
/** The sender of the `acquire` with this id waits no more: it is answered now. */
export const CancelWaitFrame = z.strictObject({ type: z.literal("cancel"), id: FrameId });

export const LockFrame = z.discriminatedUnion("type", [AcquireFrame, RenewFrame, ReleaseLockFrame, CancelWaitFrame]);
export type LockFrame = z.infer<typeof LockFrame>;
/** A frame as its sender writes it: fields with a default may be left out. */
export type OutgoingLockFrame = z.input<typeof LockFrame>;

const Id = z.string();
/** The answer to `acquire` and `renew`. */
export const LockAnswerFrame = z.union([
  z.object({ type: z.literal("lock"), id: Id, ...LockHeld.shape }),
  z.object({ type: z.literal("lock"), id: Id, ...LockNotHeld.shape }),
]);
/** The request waits, and is answered later: what stands in the way. */
export const WaitingFrame = z.object({
  type: z.literal("waiting"),
  id: Id,
  holder: z.string(),
  blocked_by: LockBlocker,
});
export const ReleasedFrame = z.object({ type: z.literal("released"), id: Id });
/** What HTTP would have answered with the status of the problem. `id` is null where it could not be read. */
export const RefusedLockFrame = z.object({
  type: z.literal("refused"),
  id: Id.nullable(),
  problem: Problem,
  retry_after_ms: z.int().optional(),
});

export const LockChannelFrame = z.union([LockAnswerFrame, WaitingFrame, ReleasedFrame, RefusedLockFrame]);
export type LockChannelFrame = z.infer<typeof LockChannelFrame>;

/** Largest message that the edge reads, in characters: far more than the longest frame takes. */
export const MAX_LOCK_MESSAGE = 16_384;
