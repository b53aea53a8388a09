import { isBoundTo } from "./bindings.ts";
import type { Grant } from "./grant.ts";

/** How a token may link as a host; `undefined`: it is bound to other hosts. */
export function rightToLink(host: string, { scopes, hosts }: Grant): "bound" | "admin" | "any" | undefined {
  if (!isBoundTo(hosts, host)) return undefined;
  if (hosts !== undefined) return "bound";
  return scopes.includes("admin") ? "admin" : "any";
}
