import { LIMITS } from "../../src/core/signals/limits.ts";

/** What the agent says of itself when it links, so that the edge tells an installation from another of the same name. */
export interface LinkIdentity {
  /** Identifies the state on this host's disk. */
  readonly installation: string;
  /** Identifies this process. */
  readonly instance: string;
  /** The machine's name and the directory of the state, for people. */
  readonly place: string;
  /** Replaces another installation that is linked under this name. */
  readonly takeOver: boolean;
}

/** Address of the link of host `hostId` at the edge `url`. */
export function linkUrl(url: string, ecosystem: string, hostId: string, identity?: LinkIdentity): string {
  const link = new URL(`v1/${ecosystem}/link`, url.endsWith("/") ? url : `${url}/`);
  link.protocol = link.protocol === "https:" ? "wss:" : "ws:";
  link.searchParams.set("host", hostId.slice(0, LIMITS.identifierLength));
  if (identity !== undefined) {
    link.searchParams.set("installation", identity.installation);
    link.searchParams.set("instance", identity.instance);
    link.searchParams.set("place", identity.place.slice(0, LIMITS.identifierLength));
    if (identity.takeOver) link.searchParams.set("take_over", "1");
  }
  return link.href;
}
