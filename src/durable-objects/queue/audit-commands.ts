import type { NewAuditEntry } from "../../core/audit/api.ts";
import type { PlacementVariables } from "../../core/deployment/placement.ts";
import { HOSTS_QUEUE } from "../../core/hosts/command-queue.ts";
import { logLine } from "../shell/log-line.ts";
import { type Namespace, objectNamed } from "../shell/ports.ts";
import type { Connection } from "./connection.ts";

export interface AuditBindings extends PlacementVariables {
  readonly AUDIT_LOG: Namespace<{ record(entry: NewAuditEntry): Promise<void> }>;
}

interface AuditCommandsOptions {
  readonly env: AuditBindings;
  readonly ecosystem: string;
  readonly ctx: Pick<DurableObjectState, "waitUntil">;
}

/** The calls over HTTP that do what these frames do, and their answers. */
const CALLS = { enqueue: ["tasks", 201], call: ["calls", 200] } as const;

/**
 * Keeps in the audit who commanded hosts over a channel, as the calls over HTTP are kept (src/workers/api/audit/record.ts): an
 * entry for each frame that was admitted.
 */
export function auditCommands({ env, ecosystem, ctx }: AuditCommandsOptions) {
  return ({ token, commander }: Connection, frame: keyof typeof CALLS): void => {
    if (token === undefined || commander === undefined) return;
    const [part, status] = CALLS[frame];
    const entry: NewAuditEntry = {
      by: commander.name,
      by_id: token.id,
      session: commander.session,
      method: "POST",
      operation: `/v1/{eco}/queues/{q}/${part}`,
      target: `/v1/${ecosystem}/queues/${HOSTS_QUEUE}/${part}`,
      status,
    };
    const failed = (error: unknown) => logLine("error", "audit-not-kept", { ...entry, error });
    ctx.waitUntil(objectNamed(env.AUDIT_LOG, ecosystem, env).record(entry).catch(failed));
  };
}
