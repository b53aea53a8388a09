import type { AppendRequest } from "../api.ts";
import { ownerOfProducer, readAssignedId, readNumberedId } from "./id-owner.ts";

interface KnownIds {
  readonly epoch: string;
  readonly nextSeq: number;
  readonly producers: { has(producer: string): boolean };
}

/**
 * Whether an id belongs to somebody else than the caller. Ids that the log gives out, and those of a host's producers, say where
 * a signal came from: a caller who could take the next one would have everybody believe that the signal behind it had been
 * handled already.
 */
export function isForeignId(
  id: string,
  { owner, producer }: Pick<AppendRequest, "owner" | "producer">,
  { epoch, nextSeq, producers }: KnownIds,
): boolean {
  if (owner === undefined) return false;
  const assigned = readAssignedId(id);
  if (assigned?.epoch === epoch && assigned.seq >= nextSeq) return true;
  const named = readNumberedId(id)?.producer;
  if (named === undefined || named === producer?.name || !producers.has(named)) return false;
  return ownerOfProducer(named) !== owner;
}
