import { type Retention, readRetention } from "../../core/signals/log/retention.ts";
import { logLine } from "../shell/log-line.ts";
import type { SignalLogBindings } from "./ports.ts";

/** The retention that the variables of the deployment ask for. */
export function retentionOf({
  RETENTION_DAYS,
  LOG_MAX_GB,
}: Pick<SignalLogBindings, "RETENTION_DAYS" | "LOG_MAX_GB">): Retention {
  return readRetention(RETENTION_DAYS, LOG_MAX_GB, (setting, text) =>
    logLine("error", "setting-no-positive-number", { object: "signals", setting, text }),
  );
}
