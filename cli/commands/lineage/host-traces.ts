import type { Client } from "../../../src/client/client.ts";
import { HOSTS_QUEUE } from "../../../src/core/hosts/command-queue.ts";
import { HostTrace, MAX_TRACED, TRACE_COMMAND } from "../../../src/core/hosts/signal-trace.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";

const TIMEOUT_MS = 3_000;
/** Hosts that are asked; there may be thousands. */
const MAX_HOSTS = 20;

export interface HostTraces {
  readonly traces: readonly HostTrace[];
  /** Why hosts could not be asked, a line each. */
  readonly remarks: readonly string[];
}

/** Asks the hosts that are up which of these signals they received, and which of their reactions ran. */
export async function hostTraces(
  client: Pick<Client, "agents" | "queues">,
  signals: readonly Signal[],
): Promise<HostTraces> {
  const asked = signals.slice(0, MAX_TRACED).map(({ id, seq, signal }) => ({ id, seq, signal }));
  let hosts: string[];
  try {
    const list = await client.agents.list();
    hosts = list.filter(({ state }) => state === "up").map(({ host }) => host);
  } catch (error) {
    return { traces: [], remarks: [`the hosts were not asked: ${(error as Error).message}`] };
  }
  const some = hosts.slice(0, MAX_HOSTS);
  const answers = await Promise.allSettled(some.map((host) => traceOf(client, host, { signals: asked })));
  const failures = new Map<string, string[]>();
  const traces: HostTrace[] = [];
  for (const [place, answer] of answers.entries()) {
    if (answer.status === "fulfilled") traces.push(answer.value);
    else {
      const reason = (answer.reason as Error).message;
      failures.set(reason, [...(failures.get(reason) ?? []), some[place] ?? ""]);
    }
  }
  const remarks = [...failures].map(([reason, names]) => `${names.join(", ")}: not asked for receipts: ${reason}`);
  if (hosts.length > some.length) remarks.push(`${hosts.length - some.length} more hosts were not asked for receipts`);
  return { traces, remarks };
}

async function traceOf({ queues }: Pick<Client, "queues">, host: string, payload: object): Promise<HostTrace> {
  const options = { timeoutMs: TIMEOUT_MS, requireResponder: true };
  const { result } = await queues.call(HOSTS_QUEUE, host, TRACE_COMMAND, { ...payload }, options);
  return HostTrace.parse(result);
}
