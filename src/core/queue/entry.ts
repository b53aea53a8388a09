import type { Proof, ProvedWork, Verdict } from "./accept.ts";
import type { AwaitedAnswer, TaskWait } from "./awaited-answer.ts";
import {
  addRareTerms,
  type FinishedTask,
  type Lease,
  type NewTask,
  type Outcome,
  type Task,
  type TaskEvent,
} from "./task.ts";

/** An unfinished task as the queue holds it in memory. */
export interface Entry extends Omit<Task, "history"> {
  payloadJson: string | undefined;
  readyMs: number;
  attempt: number;
  leases: number;
  lease: Lease | null;
  waitedMs: number;
  ranMs: number;
  history: readonly TaskEvent[];
  waitsFor?: TaskWait | undefined;
  answers?: readonly AwaitedAnswer[] | undefined;
  proof?: Proof | undefined;
  verdict?: Verdict | undefined;
  refusedLease?: string | undefined;
  /** What the worker brought to be judged, until storage has it. */
  work?: ProvedWork | undefined;
  /** `finished`: not in the queue any more. */
  state: "ready" | "delayed" | "leased" | "verifying" | "finished";
  dueMs: number;
  /** What the entry takes in memory, as last counted. Only the index writes this field. */
  heapBytes: number;
  /** Whether storage has the task. */
  stored: boolean;
  /** The lease was read from storage, and its worker may have renewed the lease after that was written. */
  unsure: boolean;
}

/**
 * The entry of a task that was read from storage.
 *
 * @param isReady - whether its delay is over, where the queue knows that: after the clock was set back, the times of a task may
 * say anything. Default: what they say
 */
export function storedEntry(task: Task, isReady?: boolean): Entry {
  const said = storedState(task);
  const state =
    isReady === undefined || (said !== "ready" && said !== "delayed") ? said : isReady ? "ready" : "delayed";
  return { ...task, state, dueMs: Number.POSITIVE_INFINITY, heapBytes: 0, stored: true, unsure: isUnsure(task.lease) };
}

/** The state of a task as it is read from storage, which does not say whether a delay is over. */
export function storedState({
  readyMs,
  createdMs,
  lease,
  proof,
}: Pick<Entry, "readyMs" | "createdMs" | "lease" | "proof">): Exclude<Entry["state"], "finished"> {
  if (lease !== null) return "leased";
  if (proof !== undefined) return "verifying";
  // A task without a delay is ready at once, even if the clock was set back since. The others become ready by their timer.
  return readyMs === createdMs ? "ready" : "delayed";
}

/** Whether the task may leave memory: it waits, and storage has all of it. */
export const mayPark = ({ stored, state }: Entry): boolean => stored && state !== "leased" && state !== "finished";

export function newEntry(task: NewTask, seq: number, taskId: string, maxAttempts: number, nowMs: number): Entry {
  const entry: Entry = {
    seq,
    taskId,
    recipient: task.recipient,
    type: task.type,
    sender: task.sender,
    priority: task.priority,
    createdMs: nowMs,
    maxAttempts: task.maxAttempts ?? maxAttempts,
    timeoutMs: task.timeoutMs,
    deadlineAtMs: task.deadlineMs === null ? null : nowMs + task.deadlineMs,
    caller: task.caller,
    cause: task.cause,
    payloadJson: task.payloadJson,
    readyMs: nowMs + task.delayMs,
    attempt: 0,
    leases: 0,
    lease: null,
    waitedMs: 0,
    ranMs: 0,
    history: [],
    state: task.delayMs > 0 ? "delayed" : "ready",
    dueMs: Number.POSITIVE_INFINITY,
    heapBytes: 0,
    stored: false,
    unsure: false,
  };
  addRareTerms(entry, task);
  return entry;
}

/**
 * When the task fails where no worker takes it. Who parked it, or reported it complete, had taken it in time; of a call
 * somebody waits for its end.
 */
export const deadlineOf = ({ deadlineAtMs, caller, waitsFor, answers, proof, verdict }: Entry): number | null =>
  caller === null && [waitsFor, answers, proof, verdict].some((taken) => taken !== undefined) ? null : deadlineAtMs;

/** When something is due for an unfinished task in a state: the end of its lease, its delay or its deadline. */
export function timeOf(entry: Entry, state: Entry["state"] = entry.state): number {
  const deadlineMs = deadlineOf(entry) ?? Number.POSITIVE_INFINITY;
  return entry.lease?.expiresMs ?? (state === "delayed" ? Math.min(entry.readyMs, deadlineMs) : deadlineMs);
}

function isUnsure(lease: Lease | null): boolean {
  return lease !== null && lease.grantMs > 0 && !lease.graced;
}

/** The record of a finished task. @param lease - the lease under which the task ended, or was reported complete; `null`: none */
export function recordOf(
  entry: Entry,
  lease: Pick<Lease, "id" | "worker"> | null,
  end: { outcome: Outcome; finishedMs: number; error: string | null; resultJson: string | null },
): FinishedTask {
  const record: FinishedTask = {
    seq: entry.seq,
    taskId: entry.taskId,
    recipient: entry.recipient,
    type: entry.type,
    sender: entry.sender,
    priority: entry.priority,
    createdMs: entry.createdMs,
    maxAttempts: entry.maxAttempts,
    timeoutMs: entry.timeoutMs,
    deadlineAtMs: entry.deadlineAtMs,
    caller: entry.caller,
    cause: entry.cause,
    outcome: end.outcome,
    finishedMs: end.finishedMs,
    attempt: entry.attempt,
    resultJson: end.resultJson,
    error: end.error,
    worker: lease?.worker ?? null,
    leaseId: lease?.id ?? null,
    waitedMs: entry.waitedMs,
    ranMs: entry.ranMs,
    history: entry.history,
  };
  addRareTerms(record, entry);
  return entry.verdict === undefined ? record : { ...record, verdict: entry.verdict };
}

/** Who ended the task, or reported it complete; `null`: no worker had it. */
export const heldBy = ({ lease, proof }: Entry): Pick<Lease, "id" | "worker"> | null =>
  proof === undefined ? lease : { id: proof.leaseId, worker: proof.worker };

/** How an attempt failed. */
export interface FailedAttempt {
  readonly event: "retry" | "timed_out" | "lease_expired" | "refused";
  readonly error: string;
  /** `false`: the task fails for good, whatever attempts are left. */
  readonly retry: boolean;
}

export function leaseOver({ timeoutMs }: Entry, lease: Lease, nowMs: number): FailedAttempt {
  const overrun = timeoutMs !== null && nowMs >= lease.startedMs + timeoutMs;
  if (overrun) return { event: "timed_out", error: `ran longer than its ${timeoutMs} ms`, retry: true };
  return { event: "lease_expired", error: `${lease.worker} let its lease run out`, retry: true };
}

/** When a lease that starts or is extended now expires. The task's own time limit counts from the start of the attempt. */
function expiry({ timeoutMs }: Entry, startedMs: number, nowMs: number, leaseMs: number): number {
  return Math.min(nowMs + leaseMs, timeoutMs === null ? Number.POSITIVE_INFINITY : startedMs + timeoutMs);
}

export function newLease(
  entry: Entry,
  given: Pick<Lease, "id" | "holder" | "worker" | "startedMs">,
  leaseMs: number,
): Lease {
  const expiresMs = expiry(entry, given.startedMs, given.startedMs, leaseMs);
  // No grace before the first renewal, which is stored: a lease that nobody renews ends on time, after a start, too.
  return { ...given, expiresMs, storedMs: expiresMs, grantMs: 0, graced: false };
}

/**
 * A lease that its worker renews, and whether storage has to know. An hour's task is renewed 360 times, so a renewal stays
 * in memory where a start of the queue from storage does not take the task from its worker before the end that the renewal
 * promised. That end is at most `grantMs` after the renewal, hence at most `grantMs` after any later start. At a start the
 * stored end may be over while the promised one is not: the lease then gets one grace of `grantMs`, which ends no earlier
 * than any promised end. So a renewal is stored only where it
 *
 * - promises more than `grantMs`, as the first one does: a lease that was never renewed has none, and gets no grace;
 * - ends the lease earlier than storage says, or the task would wait for a worker that has promised to be gone by then; or
 * - is the first after a grace: storage says that the grace was given, and a second start would give none.
 *
 * The grace is stored when it is given, so a worker that is gone has one of them, however often the queue starts.
 */
export function renewed(entry: Entry, lease: Lease, nowMs: number, leaseMs: number): { lease: Lease; store: boolean } {
  const expiresMs = expiry(entry, lease.startedMs, nowMs, leaseMs);
  if (leaseMs <= lease.grantMs && expiresMs >= lease.storedMs && !lease.graced)
    return { lease: { ...lease, expiresMs }, store: false };
  return { lease: { ...lease, expiresMs, storedMs: expiresMs, grantMs: leaseMs, graced: false }, store: true };
}

/** The lease with its grace after a start; `undefined`: the lease is over. */
export function withGrace(entry: Entry, lease: Lease, nowMs: number): Lease | undefined {
  if (!entry.unsure) return undefined;
  const expiresMs = expiry(entry, lease.startedMs, nowMs, lease.grantMs);
  // The task's own time limit is over, whatever the worker did.
  if (expiresMs <= nowMs) return undefined;
  return { ...lease, expiresMs, storedMs: expiresMs, graced: true };
}

/** Of an entry, its places in the index and its lease, and of an event of its history. */
const ENTRY_BYTES = 700;
const EVENT_BYTES = 80;

/** What an entry takes in memory without its payload, about. */
export function heapBytesOf({
  taskId,
  recipient,
  type,
  sender,
  cause,
  needs,
  limits,
  trace,
  history,
  answers,
  accept,
  verdict,
  work,
}: Entry): number {
  let bytes = ENTRY_BYTES + taskId.length + recipient.length + type.length + (sender?.length ?? 0);
  bytes += (cause?.id.length ?? 0) + (cause?.trace?.length ?? 0) + (trace?.length ?? 0);
  if (needs !== undefined) for (const name of needs) bytes += EVENT_BYTES + name.length;
  if (limits !== undefined) for (const name of limits) bytes += EVENT_BYTES + name.length;
  bytes += (accept?.rule?.length ?? 0) + (verdict?.output?.length ?? 0) + (verdict?.reason?.length ?? 0);
  bytes += (work?.resultJson?.length ?? 0) + (work?.evidenceJson?.length ?? 0);
  if (answers !== undefined) for (const { answer } of answers) bytes += 3 * EVENT_BYTES + (answer?.length ?? 0);
  for (const { error, worker } of history) bytes += EVENT_BYTES + (error?.length ?? 0) + (worker?.length ?? 0);
  return bytes;
}
