import type { LockHeld, LockNotHeld, OwnerProcess } from "../../core/locks/api.ts";
import type { LockMode, Waiter } from "../../core/locks/hold.ts";
import type { LockLimit } from "../../core/locks/limits.ts";
import type { Refused } from "../../core/locks/outcomes.ts";

/** What is asked of the object. `id` is that of the request, by which it can be taken back. */
export interface AcquireCall {
  readonly id: string;
  readonly name: string;
  readonly mode: LockMode;
  readonly owner: string;
  readonly token: string;
  /** The token is an administrator's. */
  readonly admin: boolean;
  readonly ttlMs: number;
  readonly waitMs: number;
  readonly task: string | null;
  readonly process: OwnerProcess | null;
}

/** Who asks. Things may change while it is found out whether the process runs to which the lock is bound. */
export interface Asking<Turn> {
  /** Nobody would learn of the lock. */
  readonly isGone?: () => boolean;
  /** The request was taken back: it must not wait. */
  readonly isCancelled?: () => boolean;
  /** Called in the turn in which the request begins to wait. @returns what stands for the wait */
  readonly waiting: (waiter: Waiter, nowMs: number) => Turn;
}

export type AcquireAnswer =
  | LockHeld
  | LockNotHeld
  | { readonly full: LockLimit }
  | { readonly notRunning: OwnerProcess }
  /** The object lost its memory meanwhile, and with it who waited. */
  | { readonly lost: true };

export type ClaimAnswer =
  | LockHeld
  | { readonly released: true }
  | { readonly refused: "not_current"; readonly holder: { owner: string; fence: number } | null }
  | { readonly refused: "foreign" };

export function refusedView(answer: Refused): ClaimAnswer {
  if (answer.refused === "foreign") return { refused: "foreign" };
  const { hold } = answer;
  return { refused: "not_current", holder: hold === undefined ? null : { owner: hold.owner, fence: hold.fence } };
}
