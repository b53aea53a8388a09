import { MAX_TASKS } from "../../core/queue/task-input.ts";

/** What of a refused frame its sender recognises it by. */
export interface FrameName {
  readonly batch: number | null;
  readonly frame?: string;
  readonly tasks?: readonly { readonly task_id: string; readonly lease_id: string }[];
  readonly recipient?: string;
}

export function typeOf(document: unknown): string | undefined {
  const { type } = fieldsOf(document);
  return typeof type === "string" ? type : undefined;
}

/** The names that can be read in a frame, valid or not; `correlationId` only of a call: its caller waits for a reply. */
export function nameOf(document: unknown): FrameName & { readonly correlationId?: string } {
  const { batch, correlation_id, tasks, recipient } = fieldsOf(document);
  const type = typeOf(document);
  const leases = Array.isArray(tasks) ? tasks.slice(0, MAX_TASKS).flatMap(leaseOf) : [];
  return {
    batch: typeof batch === "number" && Number.isInteger(batch) ? batch : null,
    ...(type === undefined ? {} : { frame: type.slice(0, 64) }),
    ...(leases.length === 0 ? {} : { tasks: leases }),
    ...(type === "ready" && typeof recipient === "string" ? { recipient: recipient.slice(0, 256) } : {}),
    ...(type === "call" && typeof correlation_id === "string" ? { correlationId: correlation_id } : {}),
  };
}

function leaseOf(task: unknown): { task_id: string; lease_id: string }[] {
  const { task_id, lease_id } = fieldsOf(task);
  return typeof task_id === "string" && typeof lease_id === "string" ? [{ task_id, lease_id }] : [];
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
