import { readBindings } from "../../core/access/bindings.ts";
import { HOSTS_QUEUE } from "../../core/hosts/command-queue.ts";
import { tokenOfQuery } from "../shell/sockets.ts";
import type { WorkSockets } from "./work-sockets.ts";

/** How a worker's channel is opened, by the query of its upgrade. */
export function openingOf(query: URLSearchParams, queue: string): Parameters<WorkSockets["open"]>[1] {
  const bound = readBindings(query.get("bound"));
  return {
    worker: query.get("worker") ?? "unnamed",
    mayWrite: query.get("may_write") === "1",
    recipients: bound.recipients,
    hosts: queue === HOSTS_QUEUE ? bound.hosts : undefined,
    ...(bound.hosts === undefined ? {} : { ownHosts: bound.hosts }),
    byName: query.get("by_name") === "1",
    token: tokenOfQuery(query),
    commander: commanderIn(query),
  };
}

/** Who may command hosts over the channel, as the Worker names them; `undefined`: nobody may. */
function commanderIn(query: URLSearchParams): { readonly name: string; readonly session: string | null } | undefined {
  const name = query.get("commander");
  return name === null ? undefined : { name, session: query.get("session") };
}
