import { isVouchedId } from "../../src/core/signals/log/id-owner.ts";

/**
 * What tells a signal from others of the same id: 0 where the edge vouches for the id, so that a signal that a repaired log
 * holds at another place starts a reaction once; its place in the log where anybody may have chosen the id, so that nobody
 * makes a host skip another's signal.
 */
export function placeOfIdentity(id: string, seq: number): number {
  return isVouchedId(id) ? 0 : seq;
}
