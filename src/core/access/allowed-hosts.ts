/** Names of this machine, by which an edge that listens on loopback can be meant. */
const LOOPBACK: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Whether a request may name a host. A page of the web can have its own name resolve to 127.0.0.1 and so speak to an edge
 * on the visitor's machine (DNS rebinding); its requests still name the page's host.
 *
 * @param setting - further hosts that requests may name, with commas between them; `*`: any; `undefined`: not checked
 * @param authority - host of the request, with or without a port
 */
export function isAllowedHost(setting: string | undefined, authority: string): boolean {
  if (setting === undefined) return true;
  const name = nameOf(authority);
  const allowed = setting.split(",").map((text) => nameOf(text.trim()));
  return isLoopback(name) || allowed.includes("*") || (name !== "" && allowed.includes(name));
}

/** Whether a host, with or without a port, is this machine whoever resolves it: nobody can own a name below `localhost`. */
export function isLoopback(authority: string): boolean {
  const name = nameOf(authority);
  return LOOPBACK.includes(name) || /^[a-z0-9.-]+\.localhost$/.test(name);
}

/** Without the port and the dot that ends a full name; letters in lower case. */
const nameOf = (authority: string) => authority.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
