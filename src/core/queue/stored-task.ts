import * as z from "zod";
import { Accept, type Proof, Verdict } from "./accept.ts";
import { AwaitedAnswer, TaskWait } from "./awaited-answer.ts";
import { OUTCOMES } from "./outcomes.ts";
import type { FinishedTask, Lease, Outcome, Task, TaskCause, TaskEvent, TaskProgress, TaskTerms } from "./task.ts";

/**
 * How tasks are stored: JSON lists of values in a fixed order, without their names. Names would be most of the text,
 * and a finished task of more than a quarter of a page (1,001 bytes) costs a second page, hence a second write, each
 * time. Trailing nulls are left out.
 *
 * A field may be added at the end of a list: rows from before are read as if it was null, or 0. A field that is removed
 * leaves its position empty.
 */
type Values = readonly unknown[];

export function packTerms(terms: TaskTerms): string {
  return JSON.stringify(termsValues(terms));
}

export function packProgress(progress: TaskProgress): string {
  const { readyMs, attempt, leases, waitedMs, ranMs, lease, history, waitsFor, answers, proof, verdict, refusedLease } =
    progress;
  return JSON.stringify(
    trimmed([
      [readyMs, attempt, leases, waitedMs, ranMs],
      lease === null ? null : leaseValues(lease),
      history.map(eventValues),
      waitsFor,
      answers,
      proof && [proof.id, proof.leaseId, proof.worker, proof.sinceMs, proof.round],
      verdict,
      refusedLease,
    ]),
  );
}

export function packFinished(record: FinishedTask): string {
  const { seq, outcome, finishedMs, attempt, worker, leaseId, error, waitedMs, ranMs, resultJson } = record;
  return JSON.stringify([
    termsValues(record),
    trimmed([seq, outcome, finishedMs, attempt, worker, leaseId, error, waitedMs, ranMs, resultJson, record.verdict]),
    record.history.map(eventValues),
  ]);
}

/**
 * Reads the row of an unfinished task. The payload stays in storage.
 *
 * @throws Error where the row is not that of a task; names the field
 */
export const readStoredTask = (seq: number, terms: string, progress: string): Task =>
  readTaskValues(seq, JSON.parse(terms), JSON.parse(progress));

/** As {@link readStoredTask}, of values that are parsed. */
export function readTaskValues(seq: number, terms: unknown, progress: unknown): Task {
  const parts = list(progress, "progress");
  const values = list(parts[0], "progress");
  return {
    ...readTerms(seq, terms),
    readyMs: numeric(values[0], "readyMs"),
    attempt: numberOr0(values[1]),
    leases: numberOr0(values[2]),
    waitedMs: numberOr0(values[3]),
    ranMs: numberOr0(values[4]),
    lease: readLease(parts[1] ?? null),
    history: list(parts[2], "history").map(readEvent),
    ...(parts[3] != null && { waitsFor: TaskWait.parse(parts[3]) }),
    ...(parts[4] != null && { answers: z.array(AwaitedAnswer).parse(parts[4]) }),
    ...(parts[5] != null && { proof: readProof(parts[5]) }),
    ...(parts[6] != null && { verdict: Verdict.parse(parts[6]) }),
    ...(typeof parts[7] === "string" && { refusedLease: parts[7] }),
    payloadJson: undefined,
  };
}

/**
 * Reads the row of a finished task.
 *
 * @throws Error where the row is not that of a task; names the field
 */
export function readStoredFinishedTask(record: string): FinishedTask {
  const parts = list(JSON.parse(record), "record");
  const values = list(parts[1], "record");
  return {
    ...readTerms(numberOr0(values[0]), parts[0]),
    outcome: readOutcome(values[1]),
    finishedMs: numeric(values[2], "finishedMs"),
    attempt: numberOr0(values[3]),
    worker: textOrNull(values[4]),
    leaseId: textOrNull(values[5]),
    error: textOrNull(values[6]),
    waitedMs: numberOr0(values[7]),
    ranMs: numberOr0(values[8]),
    resultJson: textOrNull(values[9]),
    ...(values[10] != null && { verdict: Verdict.parse(values[10]) }),
    history: list(parts[2], "history").map(readEvent),
  };
}

/** The end is the stored one: a row that is written for another reason must not say more than the queue knows that it says. */
function leaseValues({ id, holder, worker, startedMs, storedMs, grantMs, graced }: Lease): Values {
  return trimmed([id, holder, worker, startedMs, storedMs, grantMs, graced ? 1 : null]);
}

function termsValues(task: TaskTerms): Values {
  return trimmed([
    task.taskId,
    task.recipient,
    task.type,
    task.sender,
    task.priority,
    task.createdMs,
    task.maxAttempts,
    task.timeoutMs,
    task.deadlineAtMs,
    task.caller,
    task.cause,
    task.needs,
    task.trace,
    task.limits,
    task.accept,
  ]);
}

function readTerms(seq: number, terms: unknown): TaskTerms {
  const values = list(terms, "terms");
  return {
    seq,
    taskId: text(values[0], "taskId"),
    recipient: text(values[1], "recipient"),
    type: text(values[2], "type"),
    sender: textOrNull(values[3]),
    priority: numeric(values[4], "priority"),
    createdMs: numeric(values[5], "createdMs"),
    maxAttempts: numeric(values[6], "maxAttempts"),
    timeoutMs: numberOrNull(values[7]),
    deadlineAtMs: numberOrNull(values[8]),
    caller: textOrNull(values[9]),
    cause: readCause(values[10]),
    ...(Array.isArray(values[11]) && { needs: values[11].map((skill) => text(skill, "needs")) }),
    ...(typeof values[12] === "string" && { trace: values[12] }),
    ...(values[14] != null && { accept: Accept.parse(values[14]) }),
    ...(Array.isArray(values[13]) && { limits: values[13].map((name) => text(name, "limits")) }),
  };
}

function readProof(stored: unknown): Proof {
  const [id, leaseId, worker, sinceMs, round] = list(stored, "proof");
  return {
    id: text(id, "proof.id"),
    leaseId: text(leaseId, "proof.leaseId"),
    worker: text(worker, "proof.worker"),
    sinceMs: numeric(sinceMs, "proof.sinceMs"),
    round: numeric(round, "proof.round"),
  };
}

function readCause(cause: unknown): TaskCause | null {
  if (typeof cause !== "object" || cause === null || !("id" in cause)) return null;
  const id = text(cause.id, "cause");
  const depth = "depth" in cause ? numeric(cause.depth, "depth") : 1;
  return "trace" in cause && typeof cause.trace === "string" ? { id, trace: cause.trace, depth } : { id, depth };
}

function readLease(lease: unknown): Lease | null {
  if (lease === null) return null;
  const values = list(lease, "lease");
  const expiresMs = numeric(values[4], "lease.expiresMs");
  return {
    id: text(values[0], "lease.id"),
    holder: text(values[1], "lease.holder"),
    worker: text(values[2], "lease.worker"),
    startedMs: numeric(values[3], "lease.startedMs"),
    expiresMs,
    storedMs: expiresMs,
    // Rows from before hold every renewal.
    grantMs: numberOr0(values[5]),
    graced: values[6] === 1,
  };
}

function eventValues({ atMs, event, attempt, worker, error }: TaskEvent): Values {
  return trimmed([atMs, event, attempt, worker, error]);
}

function readEvent(stored: unknown): TaskEvent {
  const [atMs, event, attempt, worker, error] = list(stored, "history");
  return {
    atMs: numeric(atMs, "history"),
    event: readEventName(event),
    ...(typeof attempt === "number" ? { attempt } : {}),
    ...(typeof worker === "string" ? { worker } : {}),
    ...(typeof error === "string" ? { error } : {}),
  };
}

const EVENT_NAMES: readonly TaskEvent["event"][] = [
  "queued",
  "leased",
  "returned",
  "retry",
  "lease_expired",
  "timed_out",
  "read",
  "parked",
  "answered",
  "verifying",
  "accepted",
  "refused",
  ...OUTCOMES,
];

function readOutcome(value: unknown): Outcome {
  return OUTCOMES.find((outcome) => outcome === value) ?? refuse("outcome", value);
}

function readEventName(value: unknown): TaskEvent["event"] {
  return EVENT_NAMES.find((name) => name === value) ?? refuse("event", value);
}

function trimmed(values: unknown[]): Values {
  while (values.length > 0 && (values.at(-1) ?? null) === null) values.pop();
  return values;
}

function list(value: unknown, name: string): Values {
  return Array.isArray(value) ? value : refuse(name, value);
}

function text(value: unknown, name: string): string {
  return typeof value === "string" ? value : refuse(name, value);
}

function numeric(value: unknown, name: string): number {
  return typeof value === "number" ? value : refuse(name, value);
}

const textOrNull = (value: unknown): string | null => (typeof value === "string" ? value : null);
const numberOrNull = (value: unknown): number | null => (typeof value === "number" ? value : null);
const numberOr0 = (value: unknown): number => (typeof value === "number" ? value : 0);

function refuse(name: string, value: unknown): never {
  throw new Error(`a stored task is not readable: ${name} is ${JSON.stringify(value)}`);
}
