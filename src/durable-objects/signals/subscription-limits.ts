import { type Problem, problem } from "../../core/problem/problem.ts";
import { MAX_UNREAD_SUBSCRIPTIONS } from "../../core/signals/log/subscription.ts";
import { type Connection, MAX_SUBSCRIPTIONS } from "./connection.ts";

/** When a refused subscription may be sent again. */
export const SUBSCRIBE_AGAIN_MS = 5_000;

/** Why a connection may not subscribe now: each subscription may read the log and send what it finds. */
export function subscriptionRefusal({ subscription, subscriptions }: Connection, nowMs: number): Problem | undefined {
  const unread = subscription?.unread ?? 0;
  if (unread >= MAX_UNREAD_SUBSCRIPTIONS) {
    const detail = `${unread} subscriptions in a row, and nothing of them was acknowledged: send seen first`;
    return problem("unread-subscriptions", 429, "What was sent is not acknowledged", detail);
  }
  if (subscriptions.admit(1, nowMs)) return undefined;
  const detail = `A connection may subscribe ${MAX_SUBSCRIPTIONS} times within a minute; the last subscription counts`;
  return problem("too-many-subscriptions", 429, "Too many subscriptions", detail);
}
