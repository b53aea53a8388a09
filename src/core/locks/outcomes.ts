import type { Hold, Waiter } from "./hold.ts";
import type { LockLimit } from "./limits.ts";

/** A wait in a cycle of them: the owner waits for a lock, and the owner of the next step has it or comes before. */
export interface CycleStep {
  readonly owner: string;
  readonly waitsFor: string;
  readonly heldBy: string;
}

/** Who stands in the way: a lock that is held, or a request that waits before. */
export type Blocker = Hold | Waiter;

export type Acquired =
  | { readonly held: Hold }
  | { readonly blocked: Blocker; readonly cycle?: readonly CycleStep[] }
  | { readonly waiting: Waiter }
  | { readonly full: LockLimit };

/** How a wait was asked for; without it the answer comes at once. */
export interface WaitOptions {
  readonly id: string;
  /** The token is an administrator's. */
  readonly exempt: boolean;
  readonly wait: boolean;
}

/** A lock was taken from its owner. */
export interface Freed {
  readonly hold: Hold;
  readonly why: "expired" | "process_ended" | "host_away";
}

export interface Granted {
  readonly waiter: Waiter;
  readonly hold: Hold;
}

export interface LockEvents {
  readonly granted: readonly Granted[];
  readonly freed: readonly Freed[];
  /** Requests that were sent again: nobody reads the answers of the first. */
  readonly replaced: readonly Waiter[];
}

export type Refused =
  | { readonly refused: "not_current"; readonly hold: Hold | undefined }
  | { readonly refused: "foreign" };

/** Whose word is taken about a lock that is held. */
export interface Claim {
  readonly name: string;
  readonly fence: number;
  /** `undefined`: whoever has it. */
  readonly owner: string | undefined;
  readonly token: string;
  /** May end locks of others. */
  readonly admin: boolean;
}
