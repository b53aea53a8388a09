import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";
import { LOCK_MODES } from "./hold.ts";
import { LOCK_LIMITS } from "./limits.ts";

const OWNER = /^[A-Za-z0-9][A-Za-z0-9._:@~/+-]{0,255}$/;

export const LockOwner = z.string().regex(OWNER, {
  message: "an owner's name starts with a letter or digit and holds letters, digits and . _ : @ ~ / + - (256 at most)",
});
const Ttl = z
  .int()
  .min(1)
  .max(LOCK_LIMITS.ttlMs)
  .meta({ description: "The lock ends so long after it was acquired or renewed, in milliseconds" });
export const LockMode = z
  .enum(LOCK_MODES)
  .meta({ description: "shared: beside others that share it; exclusive: alone" });
const Fence = z
  .int()
  .min(1)
  .meta({ description: "Number of this holding; each is larger than all before, of any lock of the ecosystem" });
const Name = z.string().meta({ description: "Name of the lock", example: "tree:/srv/app/**" });
const Owner = z.string().meta({ description: "Who holds it", example: "coder/7" });
const Task = z.string().min(1).max(256);
const Purpose = z.string().nullable().meta({ description: "What it is held for, or wanted for" });

export const OwnerProcess = z.strictObject({
  host: z.string().min(1).max(256).meta({ description: "Name of the host" }),
  process: z.string().min(1).max(256).meta({ description: "Name of the process that its supervisor runs" }),
});
export type OwnerProcess = Readonly<z.infer<typeof OwnerProcess>>;

export const LockAcquisition = z.strictObject({
  owner: LockOwner.meta({ description: "Who asks. The same owner that asks again has the same fence" }),
  ttl_ms: Ttl,
  mode: LockMode.default("exclusive"),
  wait_ms: z
    .int()
    .min(0)
    .max(LOCK_LIMITS.waitMs)
    .default(0)
    .meta({ description: "How long to wait for the lock, in milliseconds; who asks again at once keeps the place" }),
  owner_process: OwnerProcess.optional().meta({
    description:
      "Binds the lock to the life of a supervised process: it is held while the process runs, without being renewed. It ends at " +
      "most `ttl_ms` after the process ended or its host lost its link",
  }),
  task: Task.optional().meta({ description: "What it is held for, such as the id of a task; for people" }),
});
export type LockAcquisition = z.infer<typeof LockAcquisition>;

export const LockRenewal = z.strictObject({
  owner: LockOwner.optional().meta({ description: "Refuses the call where another owner has the fence" }),
  fence: Fence,
  ttl_ms: Ttl,
});
export type LockRenewal = z.infer<typeof LockRenewal>;

export const LockRelease = z.strictObject({
  owner: LockOwner.optional().meta({ description: "Refuses the call where another owner has the fence" }),
  fence: Fence,
});
export type LockRelease = z.infer<typeof LockRelease>;

/** What stands in the way of a request. */
export const LockBlocker = z.object({
  name: Name.meta({ description: "The lock in the way; one with wildcards may have another name than yours" }),
  mode: LockMode,
  owner: Owner,
  fence: Fence.nullable().meta({ description: "null: its owner does not hold it, and waits for it since before you" }),
  since: Timestamp.meta({ description: "Since when it is held, or waited for" }),
  expires_at: Timestamp.nullable().meta({ description: "When it ends unless it is renewed; null: it is not held" }),
  task: Purpose,
});
export type LockBlocker = Readonly<z.infer<typeof LockBlocker>>;

export const LockCycle = z
  .array(z.object({ owner: Owner, waits_for: Name, held_by: Owner }))
  .readonly()
  .meta({ description: "Each owner waits for a lock of the next one, and the last for one of the first" });
export type LockCycle = z.infer<typeof LockCycle>;

export const LockHeld = z.object({
  held: z.literal(true).meta({ description: "The lock is held" }),
  name: Name,
  mode: LockMode,
  fence: Fence,
  expires_at: Timestamp.meta({ description: "When it ends unless it is renewed" }),
});
export type LockHeld = Readonly<z.infer<typeof LockHeld>>;

export const LockNotHeld = z.object({
  held: z.literal(false).meta({ description: "The lock is not held: something stands in the way" }),
  holder: z.string().meta({ description: "Owner of what stands in the way" }),
  blocked_by: LockBlocker.meta({ description: "What stands in the way" }),
  cycle: LockCycle.optional().meta({
    description: "The wait was refused: those who wait would wait for each other for ever. Release what you hold first",
  }),
});
export type LockNotHeld = Readonly<z.infer<typeof LockNotHeld>>;

export const LockAnswer = z.union([LockHeld, LockNotHeld]);
export type LockAnswer = z.infer<typeof LockAnswer>;

export const LockReleased = z.object({ released: z.literal(true).meta({ description: "The lock is released" }) });

/** A lock that is held. */
export const Lock = z.object({
  name: Name,
  mode: LockMode,
  owner: Owner,
  fence: Fence,
  acquired_at: Timestamp.meta({ description: "Since when it is held" }),
  expires_at: Timestamp.meta({ description: "When it ends unless it is renewed" }),
  ttl_ms: z.int().meta({ description: "Its length of life after each renewal, in milliseconds" }),
  task: Purpose,
  owner_process: OwnerProcess.nullable().meta({ description: "The process to whose life it is bound" }),
  waiting: z.int().meta({ description: "How many wait for it first of all" }),
});
export type Lock = Readonly<z.infer<typeof Lock>>;

/** A request that waits: "waits for `blocked_by.name`, held by `blocked_by.owner` since `blocked_by.since`". */
export const LockWait = z.object({
  name: Name,
  mode: LockMode,
  owner: Owner,
  since: Timestamp.meta({ description: "Since when it waits" }),
  task: Purpose,
  blocked_by: LockBlocker.nullable().meta({ description: "What stands in the way, first of all" }),
});
export type LockWait = Readonly<z.infer<typeof LockWait>>;

export const LockPage = z.object({
  locks: z.array(Lock).readonly().meta({ description: "By fence: the longest held first" }),
  waits: z.array(LockWait).readonly().meta({ description: "Those who wait, the longest first; 100 at most" }),
  waits_total: z.int().meta({ description: "How many wait" }),
  next: z.string().nullable().meta({ description: "Give this as `after` for the next page; null: there is none" }),
});
export type LockPage = Readonly<z.infer<typeof LockPage>>;

/** A cycle of waits that was found, the newest of each. */
export const FoundLockCycle = z.object({ at: Timestamp, steps: LockCycle, signal: z.string().nullable() });
export type FoundLockCycle = Readonly<z.infer<typeof FoundLockCycle>>;

/** What needs somebody of the locks of an ecosystem. */
export interface LockFindings {
  /** Those who have waited for long. */
  readonly waits: readonly LockWait[];
  readonly total: number;
  readonly cycles: readonly FoundLockCycle[];
}
