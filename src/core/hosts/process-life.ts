import { formatTimestamp, parseTimestamp } from "../signals/timestamp.ts";
import type { AgentView } from "./api.ts";

/** A process that a supervisor runs, by its names. */
export interface ProcessName {
  readonly host: string;
  readonly process: string;
}

/** What is known of the life of a process: it runs, and which of its runs this is; it does not; or nobody can say. */
export type ProcessLife = { readonly run: string } | "ended" | { readonly awaySinceMs: number };

const RUNNING: ReadonlySet<unknown> = new Set(["starting", "up", "stopping"]);

/**
 * The life of a process, as its host reported it last.
 *
 * @param awaySinceMs - when the host lost its link; `null`: it has one
 */
export function processLife(process: string, runs: AgentView["runs"], awaySinceMs: number | null): ProcessLife {
  if (awaySinceMs !== null) return { awaySinceMs };
  const listed: unknown = runs?.agents;
  if (!Array.isArray(listed)) return "ended";
  for (const one of listed) {
    if (typeof one !== "object" || one === null || one.name !== process) continue;
    const startedMs = parseTimestamp(one.started_at);
    if (!RUNNING.has(one.state) || typeof one.pid !== "number" || startedMs === undefined) return "ended";
    return { run: `${one.pid} ${formatTimestamp(startedMs)}` };
  }
  return "ended";
}
