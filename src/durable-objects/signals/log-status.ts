import type { Excess } from "../../core/quotas/excess.ts";
import type { LogStatus } from "../../core/signals/api.ts";
import type { SocketDoor } from "./socket-door.ts";

/** The log's status, and the tokens that it refused hosts, links or streams lately. */
export type RefusingLogStatus = LogStatus & { readonly excess?: readonly Excess[] };

export function refusedTokens({ excess }: SocketDoor): Pick<RefusingLogStatus, "excess"> {
  return excess.length === 0 ? {} : { excess };
}
