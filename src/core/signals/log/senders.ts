import { ownerOfProducer, readNumberedId } from "./id-owner.ts";
import type { SegmentHeader } from "./segment.ts";

/** Signals of one sender (`token:<id>` or `host:<name>`), both ends inclusive. */
export type SenderRange = readonly [sender: string, firstSeq: number, lastSeq: number];

/** What the edge's own signals have for a sender. */
export const EDGE = "";
/** Producers of the edge's own objects, which nobody else may name. */
const EDGE_PRODUCERS = "ganglion";

const tokenSender = (token: string) => `token:${token}`;
const hostSender = (host: string) => `host:${host}`;

/** The id of the token that a sender is; `undefined`: the sender is no token. */
export function tokenOf(sender: string): string | undefined {
  return sender.startsWith("token:") ? sender.slice("token:".length) : undefined;
}

/** Who sent the signals of a segment whose ids do not name a host's producer, in the order of the log. */
export function senderRanges({ owners, hosts }: Pick<SegmentHeader, "owners" | "hosts">): SenderRange[] {
  const ranges: SenderRange[] = [];
  for (const [token, first, last] of owners ?? []) ranges.push([tokenSender(token), first, last]);
  for (const [host, first, last] of hosts ?? []) ranges.push([senderOfHost(host), first, last]);
  return owners === undefined || hosts === undefined ? ranges : ranges.sort((a, b) => a[1] - b[1]);
}

/** Names the senders of signals that are asked for in the order of the log, each at a constant cost. */
export class Senders {
  readonly #ranges: readonly SenderRange[];
  #place = 0;
  /** The producer that the last id named, with its full stop, and its host: neighbours are mostly of one producer. */
  #prefix = "";
  #host = EDGE;

  /** @param ranges - in the order of the log, without overlap */
  constructor(ranges: readonly SenderRange[]) {
    this.#ranges = ranges;
  }

  /** @returns {@link EDGE} also for signals whose segments were written before the log kept senders */
  of(seq: number, id: string): string {
    let range = this.#ranges[this.#place];
    if (range !== undefined && range[1] > seq) this.#place = 0;
    for (range = this.#ranges[this.#place]; range !== undefined && range[2] < seq; range = this.#ranges[this.#place])
      this.#place++;
    if (range !== undefined && range[1] <= seq) return range[0];
    if (this.#prefix !== "" && id.startsWith(this.#prefix) && isNumber(id, this.#prefix.length)) return this.#host;
    const producer = readNumberedId(id)?.producer;
    if (producer === undefined) return EDGE;
    this.#prefix = `${producer}.`;
    this.#host = senderOfHost(ownerOfProducer(producer));
    return this.#host;
  }
}

/** Whether the rest of an id is a number as {@link readNumberedId} reads it. */
function isNumber(id: string, from: number): boolean {
  if (id.length === from || id.length > from + 15) return false;
  for (let place = from; place < id.length; place++) {
    const char = id.charCodeAt(place);
    if (char < 48 || char > 57) return false;
  }
  return true;
}

const senderOfHost = (host: string) => (host === EDGE_PRODUCERS ? EDGE : hostSender(host));
