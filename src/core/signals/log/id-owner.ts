import type { ForeignIdEntry, SegmentHeader } from "./segment.ts";

/**
 * Ids belong to the one who gives them: two agents may both call a signal `job-1`. What identifies a signal is its owner (a
 * token, or a host), its source and its id together.
 *
 * @returns the three as one text, the same for a signal and its repetition alone: neither owners nor ids hold spaces
 */
export function idKey(owner: string, source: string, id: string): string {
  return `${owner} ${id} ${source}`;
}

/** The id as segments of earlier versions kept it, without owner and source. */
export function oldIdKey(id: string): string {
  return ` ${id}`;
}

/** The key of an id that a segment lists. */
export function keyOfEntry(
  [id, seq, source]: ForeignIdEntry,
  header: Pick<SegmentHeader, "owners" | "sources">,
): string {
  const name = source === undefined ? undefined : header.sources?.[source];
  return name === undefined ? oldIdKey(id) : idKey(ownerAt(header, seq) ?? "", name, id);
}

const ASSIGNED = /^s(\d{1,15})\.([0-9a-f]{6})$/;
const NUMBERED = /^(.+)\.(\d{1,15})$/;

/** Reads `s<seq>.<epoch>`, as the log names signals that came without an id. */
export function readAssignedId(id: string): { readonly seq: number; readonly epoch: string } | undefined {
  const [, seq, epoch] = ASSIGNED.exec(id) ?? [];
  return seq === undefined || epoch === undefined ? undefined : { seq: Number(seq), epoch };
}

/** Reads `<producer>.<number>`, as the log names signals of a producer. */
export function readNumberedId(id: string): { readonly producer: string; readonly number: number } | undefined {
  const [, producer, number] = NUMBERED.exec(id) ?? [];
  return producer === undefined || number === undefined ? undefined : { producer, number: Number(number) };
}

/**
 * The agent of a host names its producers `<host>.<epoch>.<lane>`; two parts at most follow the host's name, so that a host
 * `a` cannot speak as the host `a.b`, whose own producers have two parts more than that.
 */
const PARTS_BEHIND_HOST = /^[^.]+(\.[^.]+)?$/;

/** Whether a producer belongs to the host. */
export function ownsProducer(host: string, producer: string): boolean {
  return producer.startsWith(`${host}.`) && PARTS_BEHIND_HOST.test(producer.slice(host.length + 1));
}

/** The host whose producer has this name, where its link is not known: a link knows its host. */
export function ownerOfProducer(producer: string): string {
  const parts = producer.split(".");
  return parts.slice(0, Math.max(1, parts.length - 2)).join(".");
}

/** What an agent calls its producers: `<host>.<epoch>.<lane>`, with an epoch of twelve hexadecimal digits. */
const AGENT_PRODUCER = /^.+\.[0-9a-f]{12}\.(bus|local)$/;

/** Whether the edge vouches for an id: it gives the id out itself, or lets the producer's host alone use it. */
export function isVouchedId(id: string): boolean {
  if (id.startsWith("ganglion.") || readAssignedId(id) !== undefined) return true;
  const numbered = readNumberedId(id);
  return numbered !== undefined && AGENT_PRODUCER.test(numbered.producer);
}

/** Who sent the signal at `seq`; `undefined`: the edge itself, or a segment of an earlier version. */
export function ownerAt(header: Pick<SegmentHeader, "owners">, seq: number): string | undefined {
  return header.owners?.find(([, first, last]) => first <= seq && seq <= last)?.[0];
}
