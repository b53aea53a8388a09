import { isLoopback } from "./allowed-hosts.ts";
import { SESSION_MS } from "./session.ts";

/** How an edge keeps the secret of a session in a browser. */
export interface CookiePlace {
  readonly name: string;
  readonly secure: boolean;
}

/**
 * Behind TLS the cookie belongs to this host alone, and no other host can set it (`__Host-`). On loopback without TLS
 * browsers keep no such cookie; there cookies do not tell ports apart, so the name holds the port.
 *
 * @param host - that the request names, with or without a port
 */
export function cookiePlace(host: string, https: boolean): CookiePlace {
  if (https || !isLoopback(host)) return { name: "__Host-ganglion", secure: true };
  return { name: `ganglion-${/:(\d+)$/.exec(host)?.[1] ?? "80"}`, secure: false };
}

/**
 * @param header - `Cookie`
 * @returns `undefined` where there is none, and where there are several: a page of another port has set one of them
 */
export function readCookie(header: string | undefined, name: string): string | undefined {
  const values = (header ?? "").split(";").flatMap((pair) => {
    const at = pair.indexOf("=");
    return at > 0 && pair.slice(0, at).trim() === name ? [pair.slice(at + 1).trim()] : [];
  });
  return values.length === 1 && values[0] !== "" ? values[0] : undefined;
}

/** @param secret - empty: takes the cookie away */
export function setCookie({ name, secure }: CookiePlace, secret: string): string {
  const seconds = secret === "" ? 0 : SESSION_MS / 1_000;
  return `${name}=${secret}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}`;
}
