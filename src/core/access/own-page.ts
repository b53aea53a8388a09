/** Sent by the dashboard's own pages: a page of another origin cannot add it without asking, and is refused when it asks. */
export const OWN_HEADER = "Ganglion-Session";

/** What a browser says of a request that carries a cookie. */
export interface BrowserRequest {
  readonly method: string;
  /** Whether the request opens a WebSocket. */
  readonly upgrade: boolean;
  /** That the request names, with or without a port. */
  readonly host: string;
  /** `Sec-Fetch-Site`: older browsers do not send it, nor any where neither TLS nor loopback is in use. */
  readonly fetchSite: string | undefined;
  readonly origin: string | undefined;
  readonly contentType: string | undefined;
  readonly hasBody: boolean;
  /** The header {@link OWN_HEADER}. */
  readonly own: string | undefined;
}

/**
 * Why a cookie does not count for a request: browsers send it with requests that other pages cause. A request counts that
 * a page of this origin made, and where it changes something a form could not have made it.
 *
 * @returns `undefined`: it counts
 */
export function foreignTo(request: BrowserRequest): string | undefined {
  const { method, upgrade, fetchSite, origin, contentType, hasBody, own } = request;
  if (fetchSite !== undefined && fetchSite !== "same-origin")
    return `Sec-Fetch-Site is "${fetchSite.slice(0, 32)}", and not same-origin`;
  if (origin !== undefined && !isOwnOrigin(request)) return "Origin is another origin than that of the edge";
  if (origin === undefined && (upgrade || fetchSite === undefined)) return "Origin is missing";
  if (method === "GET" || method === "HEAD") return undefined;
  if (own === undefined || own === "") return `the header ${OWN_HEADER} is missing`;
  const type = contentType?.split(";", 1)[0]?.trim().toLowerCase();
  if (type === undefined ? hasBody : type !== "application/json") return "Content-Type is not application/json";
  return undefined;
}

/** A proxy with TLS before the edge speaks HTTP to it, so only hosts and ports are compared. */
export function isOwnOrigin({ origin, host }: Pick<BrowserRequest, "origin" | "host">): boolean {
  const from = URL.parse(origin ?? "");
  if (from === null || !["http:", "https:"].includes(from.protocol)) return false;
  // In both, a port is left out that is the scheme's own.
  return from.host === URL.parse(`${from.protocol}//${host}`)?.host;
}
