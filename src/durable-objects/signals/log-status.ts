import type { Budget } from "../../core/billing/budget.ts";
import type { Excess } from "../../core/quotas/excess.ts";
import type { LogStatus } from "../../core/signals/api.ts";
import type { LogLinks } from "./log-links.ts";
import type { LogWriter } from "./log-writer.ts";

/** The log's status, and the tokens that it refused hosts, links, streams or signals lately. */
export type RefusingLogStatus = LogStatus & { readonly excess?: readonly Excess[] };

/** @returns also the budget, where the ecosystem has one */
export function refusedTokens(
  links: LogLinks,
  writer: LogWriter,
  budget: Budget,
): Pick<RefusingLogStatus, "excess" | "budget"> {
  const excess = [...links.excess, ...writer.excess];
  return { ...(excess.length === 0 ? {} : { excess }), ...(budget.state === "none" ? {} : { budget }) };
}
