import { isPrivateHost } from "../wire/network-address.ts";

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
  return isPrivateHost(url.hostname)
    ? "this address belongs to a private network; set WEBHOOKS_ALLOW_PRIVATE on the edge to allow it"
    : undefined;
}
