import { LIMITS } from "../../src/core/signals/limits.ts";

/** Address of the link of host `hostId` at the edge `url`. */
export function linkUrl(url: string, ecosystem: string, hostId: string): string {
  const link = new URL(`v1/${ecosystem}/link`, url.endsWith("/") ? url : `${url}/`);
  link.protocol = link.protocol === "https:" ? "wss:" : "ws:";
  link.searchParams.set("host", hostId.slice(0, LIMITS.identifierLength));
  return link.href;
}
