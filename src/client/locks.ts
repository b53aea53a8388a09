import { LockPage } from "../core/locks/api.ts";
import { httpLocks, type LockCalls, locksOver } from "./locks/locks-over.ts";

export function lockCalls(calls: LockCalls) {
  const edge = httpLocks(calls);
  const { call, inside } = calls;
  return {
    ...edge,
    ...locksOver(edge),
    /** A page of what is held, and who waits. @param after - `next` of the page before */
    list: ({ after, limit = 100, name, owner }: LockListQuery = {}) =>
      call(LockPage, { path: inside("/locks"), query: { limit, after, name, owner } }),
  };
}

export interface LockListQuery {
  readonly after?: string | undefined;
  readonly limit?: number;
  /** Only locks that meet this name, which may have wildcards. */
  readonly name?: string | undefined;
  readonly owner?: string | undefined;
}
