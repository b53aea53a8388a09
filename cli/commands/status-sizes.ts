import type { Client } from "../../src/client/client.ts";
import type { HeapUse } from "../../src/core/billing/heap-budget.ts";
import { clock } from "../output.ts";

type Status = Awaited<ReturnType<Client["status"]>>;

/** How large an object is; an edge of an earlier version does not say. */
export interface Sized {
  readonly name: string;
  readonly database_bytes?: number | undefined;
  readonly heap?: readonly HeapUse[] | undefined;
}

/** Lines about storage, and about memory against its budget. */
export function sizeFields({ log, projections = {} }: Status, queues: readonly Sized[]): Record<string, string> {
  const objects: Sized[] = [
    { ...log, name: "log" },
    ...Object.entries(projections).map(([name, place]) => ({ ...place, name })),
    ...queues.map((queue) => ({ ...queue, name: `queue ${queue.name}` })),
  ];
  const databases = objects.flatMap(({ name, database_bytes: bytes = 0 }) =>
    bytes === 0 ? [] : [`${name} ${megabytes(bytes)} MB`],
  );
  const heaps = objects.flatMap(({ name, heap = [] }) =>
    heap.length === 0 ? [] : [[`memory ${name}`, heap.map(heapText).join(", ")] as const],
  );
  return { ...(databases.length === 0 ? {} : { databases: databases.join(", ") }), ...Object.fromEntries(heaps) };
}

/** Lines about projections that have not taken in what concerns them. */
export function behindFields({ projections = {} }: Status): Record<string, string> {
  const behind = Object.entries(projections).flatMap(([name, { lag = 0, oldest_undelivered_at: since }]) =>
    since === undefined || since === null
      ? []
      : [[`behind ${name}`, `${lag} signals of the log, the oldest of ${clock(since)}`]],
  );
  return Object.fromEntries(behind);
}

/** How the export of finished work goes; nothing where there is none. */
export function exportFields({ export: health }: Status): Record<string, string> {
  if (health === undefined) return {};
  const { failing_since, last_error, exported, waiting, dropped } = health;
  const lost = dropped === 0 ? "" : `, ${dropped} dropped`;
  const failing = failing_since === undefined ? "" : `; fails since ${clock(failing_since)}: ${last_error ?? ""}`;
  return { export: `${exported} spans sent, ${waiting} wait${lost}${failing}` };
}

const heapText = ({ kind, used_bytes, limit_bytes, refused }: HeapUse) =>
  `${kind.replaceAll("_", " ")} ${megabytes(used_bytes)} of ${megabytes(limit_bytes)} MB` +
  (refused === 0 ? "" : ` (${refused} refused)`);

const megabytes = (bytes: number) => String(Number((bytes / 1e6).toPrecision(3)));
