import type { AgentView } from "../../core/hosts/api.ts";
import { readHostObject } from "../../core/hosts/host-record.ts";
import type { MonitoredHost } from "../../core/hosts/monitors/host-watch.ts";
import type { Presence } from "../../core/hosts/presence-tracker.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";

export interface HostState {
  readonly monitored: MonitoredHost;
  /** JSON text of what the host runs. */
  readonly status: string | null;
  readonly facts: Readonly<Record<string, unknown>> | null;
  readonly links: number;
  readonly seenMs: number;
}

export function viewOf(
  host: string,
  { state, sinceMs, reason }: Presence,
  { monitored, status, facts, links, seenMs }: HostState,
): AgentView {
  const runs = status === null ? null : readHostObject(status);
  const version = runs?.version;
  return {
    host,
    state,
    since: formatTimestamp(sinceMs),
    reason,
    last_seen: formatTimestamp(seenMs),
    links,
    version: typeof version === "string" ? version : null,
    runs,
    alerts: Object.entries(monitored.health).flatMap(([subject, { raised }]) =>
      raised === null
        ? []
        : [{ subject, since: formatTimestamp(raised.sinceMs), value: raised.value, limit: raised.limit }],
    ),
    failing: monitored.failures,
    facts,
  };
}
