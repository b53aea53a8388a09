/** Ids that the edge vouches for: it gives them out itself, or lets their host alone use them. */
const VOUCHED = [/^ganglion\./, /^s\d{1,15}\.[0-9a-f]{6}$/, /^.+\.[0-9a-f]{12}\.(bus|local)\.\d{1,15}$/];

/**
 * What tells a signal from others of the same id: 0 where the edge vouches for the id, so that a signal that a repaired log
 * holds at another place starts a reaction once; its place in the log where anybody may have chosen the id, so that nobody
 * makes a host skip another's signal.
 */
export function placeOfIdentity(id: string, seq: number): number {
  return VOUCHED.some((form) => form.test(id)) ? 0 : seq;
}
