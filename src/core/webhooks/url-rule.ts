/**
 * Says why messages may not be sent to `text`, or nothing.
 *
 * The names and addresses that are refused are those that lead into the network of the edge itself. A public name that
 * resolves to a private address is not seen here; on Cloudflare such an address leads nowhere, and an edge of one's own
 * should not be allowed to reach what a rule's author must not reach.
 *
 * @param allowPrivate - `http:` and addresses of this machine and of private networks are right too
 */
export function refusalOfUrl(text: string, allowPrivate: boolean): string | undefined {
  if (!URL.canParse(text)) return "give an absolute URL, such as https://example.org/hooks/ganglion";
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") return "give an https: URL";
  if (url.username !== "" || url.password !== "")
    return "leave user name and password out: messages are signed, and what stands in a URL is shown";
  if (url.hash !== "") return "leave out what stands after the #: it is never sent";
  if (allowPrivate) return undefined;
  if (url.protocol === "http:") return "give an https: URL; http: is for an edge with WEBHOOKS_ALLOW_PRIVATE";
  return isPrivate(url.hostname)
    ? "this address is of a private network; only an edge with WEBHOOKS_ALLOW_PRIVATE may send there"
    : undefined;
}

/** `hostname` as the URL parser writes it: IPv4 in four decimal parts, IPv6 in brackets and compressed. */
function isPrivate(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, "");
  if (name.startsWith("[")) return isPrivateV6(name.slice(1, -1));
  const parts = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(name)?.slice(1).map(Number);
  if (parts !== undefined) return isPrivateV4(parts);
  return !name.includes(".") || /\.(localhost|local|internal|lan|home|corp|home\.arpa)$/.test(name);
}

/** https://www.iana.org/assignments/iana-ipv4-special-registry */
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

/** Only 2000::/3 is given out for the public internet; of that, 2002::/16 and 64:ff9b:: carry IPv4 addresses. */
function isPrivateV6(address: string): boolean {
  return !/^[23]/.test(address) || address.startsWith("2002:") || address.indexOf(":") < 4;
}
