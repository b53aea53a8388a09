import type { AgentView } from "../../core/hosts/agent-view.ts";
import type { Watched } from "../../core/hosts/monitors/host-watch.ts";
import type { Presence } from "../../core/hosts/presence-tracker.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";

export interface KnownOfHost {
  readonly watched: Watched;
  /** JSON text of what it runs. */
  readonly status: string | null;
  readonly facts: Readonly<Record<string, unknown>> | null;
  readonly links: number;
  readonly seenMs: number;
}

export function viewOf(
  host: string,
  { state, sinceMs, reason }: Presence,
  { watched, status, facts, links, seenMs }: KnownOfHost,
): AgentView {
  const runs = status === null ? null : (JSON.parse(status) as Record<string, unknown>);
  const version = runs?.version;
  return {
    ...{ host, state, since: formatTimestamp(sinceMs), reason, last_seen: formatTimestamp(seenMs), links },
    version: typeof version === "string" ? version : null,
    runs,
    alerts: Object.entries(watched.health).flatMap(([subject, { raised }]) =>
      raised === null
        ? []
        : [{ subject, since: formatTimestamp(raised.sinceMs), value: raised.value, limit: raised.limit }],
    ),
    failing: watched.failures,
    facts,
  };
}
