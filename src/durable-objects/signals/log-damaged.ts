import type { AppendRequest, LogDamage } from "../../core/signals/api.ts";
import { objectNamed } from "../shell/ports.ts";
import { logSignal } from "./log-signal.ts";
import type { SignalLogBindings } from "./ports.ts";

/** Places that the signal and the status name; the others are counted. */
const NAMED = 10;

/** The signal of the log itself that tells which of its rows cannot be read. */
export function logDamaged(found: readonly LogDamage[], inAll: number, epoch: string, nowMs: number): AppendRequest {
  const facts = { damaged_rows: found.length, damaged_in_all: inAll, first: found.slice(0, NAMED) };
  // Not numbered: it is told from outside a commit. Sent twice in a millisecond, one of them would say the same.
  return { signals: [logSignal("Q_LOG_DAMAGED", facts, `ganglion.${epoch}.damaged.${nowMs}`)] };
}

/** What the status says of them. */
export function damageStatus(damage: readonly LogDamage[]) {
  return damage.length === 0 ? {} : { damaged: { rows: damage.length, first: damage.slice(0, NAMED) } };
}

/** Reports to the directory that a log is damaged: the deployment is not ready then. */
export function damageReporter(
  env: SignalLogBindings,
  ctx: Pick<DurableObjectState, "waitUntil">,
  ecosystem: string,
): () => void {
  return () => {
    const directory = objectNamed(env.DIRECTORY, "directory", env);
    ctx.waitUntil(directory.reportDamage({ object: "SignalLog", name: ecosystem }, Date.now()));
  };
}
