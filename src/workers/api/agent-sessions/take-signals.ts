import { isBoundTo } from "../../../core/access/bindings.ts";
import type { Grant } from "../../../core/access/grant.ts";
import type { SessionSignalInput, SignalMaking } from "../../../core/agent-sessions/to-signals.ts";
import type { FieldError } from "../../../core/problem/field-error.ts";
import { admitSignal } from "../../../core/signals/admit.ts";
import type { NewSignal } from "../../../core/signals/signal.ts";
import { hex, sha256 } from "../../../durable-objects/shell/digest.ts";
import type { Environment } from "../../bindings/environment.ts";
import { signalLog } from "../../bindings/objects.ts";
import { refusedNow } from "../http/refusal.ts";
import { foreignFields, foreignSignal } from "../signals/body.ts";

/** How the signals of an export are made that a token sends. */
export const makingFor = (grant: Grant, nowMs: number): SignalMaking => ({
  nowMs,
  digest: async (text) => hex(await sha256(text)),
  sourceOf: (agent) => sourceOf(grant, agent),
});

/** A token that is bound to one source sends in its name; another in the name of the program. */
function sourceOf({ sources }: Grant, agent: string): string {
  const [only, ...more] = sources ?? [];
  return only !== undefined && more.length === 0 && !only.endsWith("*") && !isBoundTo(sources, agent) ? only : agent;
}

/** Those that the token may send, and why the others are refused. */
export interface Admitted {
  readonly signals: readonly NewSignal[];
  readonly refused: readonly FieldError[];
}

/** @throws Refusal where the token may send none of them */
export function admitAll(inputs: readonly SessionSignalInput[], grant: Grant): Admitted {
  const signals: NewSignal[] = [];
  const refused: FieldError[] = [];
  let foreign = 0;
  for (const input of inputs) {
    const admission = admitSignal(input);
    const [error] = admission.ok ? foreignFields(admission.signal, grant, "") : admission.errors;
    if (admission.ok && error === undefined) signals.push(admission.signal);
    else if (error !== undefined) {
      refused.push(error);
      foreign += Number(admission.ok);
    }
  }
  if (foreign > 0 && signals.length === 0)
    throw foreignSignal([
      { pointer: "", message: `${refused[0]?.message ?? ""}: name one by the resource attribute ganglion.source` },
    ]);
  return { signals, refused };
}

/** @throws Refusal where the log takes nothing now */
export async function append(
  env: Environment,
  eco: string,
  grant: Grant,
  signals: readonly NewSignal[],
): Promise<void> {
  if (signals.length === 0) return;
  const outcome = await signalLog(env, eco).append({ owner: grant.id, signals: [...signals] });
  if ("overloaded" in outcome) throw refusedNow(outcome);
  if ("foreign_id" in outcome || "conflict" in outcome) throw new Error("ids of session signals belong to nobody else");
}
