import type { Logger } from "../base/log.ts";
import type { AgentSettings } from "../config/settings.ts";
import type { LinkOptions } from "../link/link.ts";

/** The settings, and parameters that only tests and embedders set. */
export interface AgentOptions extends AgentSettings {
  readonly logger: Logger;
  readonly now?: () => number;
  /** Replaces another installation that is linked under this host's name; default: false. */
  readonly takeOver?: boolean;
  readonly link?: Pick<LinkOptions, "heartbeatMs" | "backOff" | "drainMs">;
  /** Longest stop of a service without a limit of its own, in milliseconds. */
  readonly stopMs?: number;
}
