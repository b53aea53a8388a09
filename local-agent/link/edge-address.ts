import { LIMITS } from "../../src/core/signals/limits.ts";

/** Addresses of the edge that a link uses. */
export interface EdgeAddress {
  readonly link: string;
  /** The newest signal of the log. */
  readonly newest: string;
}

export function edgeAddress(url: string, ecosystem: string, hostId: string): EdgeAddress {
  const base = new URL(url.endsWith("/") ? url : `${url}/`);
  const link = new URL(`v1/${ecosystem}/link`, base);
  link.protocol = base.protocol === "https:" ? "wss:" : "ws:";
  link.searchParams.set("host", hostId.slice(0, LIMITS.identifierLength));
  const newest = new URL(`v1/${ecosystem}/signals?order=desc&limit=1`, base);
  return { link: link.href, newest: newest.href };
}

/**
 * Asks where the log stands, so that the very first subscription has a place to go on from if the connection breaks
 * before anything came.
 *
 * @returns the newest sequence number, 0 for an empty log, `null` when the edge cannot say
 */
export async function newestPlace(address: EdgeAddress, token: string, signal: AbortSignal): Promise<number | null> {
  try {
    const response = await fetch(address.newest, { headers: { authorization: `Bearer ${token}` }, signal });
    if (!response.ok) {
      await response.body?.cancel();
      return null;
    }
    const { signals } = (await response.json()) as { signals?: { seq?: unknown }[] };
    if (!Array.isArray(signals)) return null;
    const seq = signals[0]?.seq ?? 0;
    return Number.isSafeInteger(seq) ? (seq as number) : null;
  } catch {
    // The link itself reports what is wrong with the edge.
    return null;
  }
}
