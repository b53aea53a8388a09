/**
 * Checks whether messages may be sent to a URL.
 *
 * Names and addresses that lead into the network of the edge itself are refused. A public name that resolves to a
 * private address is not noticed. On Cloudflare such an address leads nowhere; elsewhere the network of the edge must
 * not let it reach a host that an author of rules may not reach.
 *
 * @param allowPrivate - also allow `http:`, addresses of this machine, and addresses of private networks
 * @returns why the URL is refused and what to give instead, or `undefined` where it is allowed
 */
export function urlProblem(text: string, allowPrivate: boolean): string | undefined {
  if (!URL.canParse(text)) return "give an absolute URL, such as https://example.org/hooks/ganglion";
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") return "give an https: URL";
  if (url.username !== "" || url.password !== "")
    return "give a URL without user name and password: messages are signed, and URLs are shown to people";
  if (url.hash !== "") return "give a URL without a fragment (#…): a fragment is never sent";
  if (allowPrivate) return undefined;
  if (url.protocol === "http:") return "url must be https; set WEBHOOKS_ALLOW_PRIVATE on the edge to allow http";
  return isPrivate(url.hostname)
    ? "this address belongs to a private network; set WEBHOOKS_ALLOW_PRIVATE on the edge to allow it"
    : undefined;
}

/** @param hostname - as the URL parser writes it: IPv4 in four decimal parts, IPv6 in brackets and compressed. */
function isPrivate(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, "");
  if (name.startsWith("[")) return isPrivateV6(name.slice(1, -1));
  const parts = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(name)?.slice(1).map(Number);
  if (parts !== undefined) return isPrivateV4(parts);
  return !name.includes(".") || /\.(localhost|local|internal|lan|home|corp|home\.arpa)$/.test(name);
}

/** @see https://www.iana.org/assignments/iana-ipv4-special-registry */
function isPrivateV4([a = 0, b = 0, c = 0]: readonly number[]): boolean {
  return (
    a === 0 ||
    a === 10 ||
    a === 127 ||
    (a === 100 && b >= 64 && b < 128) ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && (b === 168 || (b === 0 && c === 0))) ||
    (a === 198 && (b === 18 || b === 19)) ||
    a >= 224
  );
}

/** Only 2000::/3 is assigned to the public internet; within it, 2002::/16 and 64:ff9b:: carry IPv4 addresses. */
function isPrivateV6(address: string): boolean {
  return !/^[23]/.test(address) || address.startsWith("2002:") || address.indexOf(":") < 4;
}
