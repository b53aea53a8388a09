import type { FinishedTask, Lease, TaskEvent, TaskProgress, TaskTerms } from "./task.ts";

/**
 * How tasks are stored: values in a fixed order, without their names. Names would be most of the text, and a finished
 * task that exceeds a quarter of a page (1,001 bytes) costs a second page, hence a second write, each time.
 *
 * A field may be added at the end of a list; one that is gone leaves its place behind.
 */
const TERMS = [
  ...(["taskId", "recipient", "type", "sender", "priority", "createdMs"] as const),
  ...(["maxAttempts", "timeoutMs", "deadlineAtMs", "caller", "cause"] as const),
] as const satisfies readonly (keyof TaskTerms)[];
const PROGRESS = [
  "readyMs",
  "attempt",
  "leases",
  "waitedMs",
  "ranMs",
] as const satisfies readonly (keyof TaskProgress)[];
const LEASE = ["id", "holder", "worker", "startedMs", "expiresMs"] as const satisfies readonly (keyof Lease)[];
const EVENT = ["atMs", "event", "attempt", "worker", "error"] as const satisfies readonly (keyof TaskEvent)[];
const FINISHED = [
  ...(["seq", "outcome", "finishedMs", "attempt", "worker", "leaseId", "error"] as const),
  ...(["waitedMs", "ranMs", "resultJson"] as const),
] as const satisfies readonly (keyof FinishedTask)[];

export function packTerms(terms: TaskTerms): string {
  return JSON.stringify(pack(terms, TERMS));
}

export function unpackTerms(seq: number, text: string): TaskTerms {
  return { seq, ...unpack<Omit<TaskTerms, "seq">>(JSON.parse(text) as unknown[], TERMS) };
}

export function packProgress(progress: TaskProgress): string {
  const { lease, history } = progress;
  return JSON.stringify([
    pack(progress, PROGRESS),
    lease === null ? null : pack(lease, LEASE),
    history.map((event) => pack(event, EVENT)),
  ]);
}

export function unpackProgress(text: string): TaskProgress {
  const [progress, lease, history] = JSON.parse(text) as [unknown[], unknown[] | null, unknown[][]];
  return {
    ...unpack<Omit<TaskProgress, "lease" | "history">>(progress, PROGRESS),
    lease: lease === null ? null : unpack<Lease>(lease, LEASE),
    history: history.map(unpackEvent),
  };
}

export function packFinished(record: FinishedTask): string {
  return JSON.stringify([
    pack(record, TERMS),
    pack(record, FINISHED),
    record.history.map((event) => pack(event, EVENT)),
  ]);
}

export function unpackFinished(text: string): FinishedTask {
  const [terms, finished, history] = JSON.parse(text) as [unknown[], unknown[], unknown[][]];
  return {
    ...unpack<TaskTerms>(terms, TERMS),
    ...unpack<FinishedTask>(finished, FINISHED),
    history: history.map(unpackEvent),
  };
}

function unpackEvent(values: unknown[]): TaskEvent {
  return unpack<TaskEvent>(values, EVENT, true);
}

/** Trailing absences are left out: they are read back as `null`, or as absent where a list is sparse. */
function pack<From>(from: From, names: readonly (keyof From)[]): unknown[] {
  const values: unknown[] = names.map((name) => from[name]);
  while (values.length > 0 && (values.at(-1) ?? null) === null) values.pop();
  return values;
}

/** @param sparse - what is absent stays absent, instead of being `null` */
function unpack<Into>(values: readonly unknown[], names: readonly string[], sparse = false): Into {
  const into: Record<string, unknown> = {};
  names.forEach((name, place) => {
    const value = values[place] ?? null;
    if (value !== null || !sparse) into[name] = value;
  });
  return into as Into;
}
