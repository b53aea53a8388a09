import { isJsonObject } from "../json/is-json-object.ts";
import type { MonitoredHost } from "./monitors/host-watch.ts";
import type { Presence } from "./presence-tracker.ts";
import { RestartCount } from "./restart-count.ts";

/** A host as it is stored. */
export interface HostRecord {
  readonly presence: Presence;
  /** The field keeps the name under which earlier versions stored it. */
  readonly watched: MonitoredHost;
  /** JSON text of the sources, processes and workers of the host, as the host reported them. */
  readonly status: string | null;
  /** Absent: no process was restarted. */
  readonly restarts?: RestartCount;
}

/**
 * Reads a stored host. Checks the parts on which the registry depends.
 *
 * @throws TypeError where one of them is missing
 */
export function readStoredHost(text: string): HostRecord {
  const stored: unknown = JSON.parse(text);
  if (!isHostRecord(stored))
    throw new TypeError("a stored host lacks presence, watched or status, or its restarts are no counts");
  return stored;
}

function isHostRecord(value: unknown): value is HostRecord {
  if (!isJsonObject(value)) return false;
  const { presence, watched, status, restarts } = value;
  if (!isJsonObject(presence) || (presence.state !== "up" && presence.state !== "down")) return false;
  if (typeof presence.sinceMs !== "number" || typeof presence.toldMs !== "number") return false;
  if (!isJsonObject(watched) || !isJsonObject(watched.health) || !isJsonObject(watched.failures)) return false;
  if (restarts !== undefined && !RestartCount.safeParse(restarts).success) return false;
  return status === null || typeof status === "string";
}

/** Reads JSON text that a host sent and that must be an object; any other text is an empty object. */
export function readHostObject(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text);
  return isJsonObject(value) ? value : {};
}
