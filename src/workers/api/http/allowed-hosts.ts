import type { MiddlewareHandler } from "hono";
import { isAllowedHost } from "../../../core/access/allowed-hosts.ts";
import { problem } from "../../../core/problem/problem.ts";
import type { ApiEnv } from "./api-env.ts";
import { Refusal } from "./refusal.ts";

/** The setting, and what the last request that was let through named: nearly all name the same host. */
let lastAllowed: readonly [setting: string, origin: string, host: string] | undefined;

/** Refuses requests that mean another host, where `ALLOWED_HOSTS` is set: on the edge of one machine. */
export const onlyAllowedHosts: MiddlewareHandler<ApiEnv> = (c, next) => {
  const setting = c.env.ALLOWED_HOSTS;
  if (setting === undefined) return next();
  // Which host a URL names is decided before its path begins.
  const [origin = ""] = /^[^/]*\/\/[^/?#]*/.exec(c.req.url) ?? [];
  const header = c.req.header("host") ?? "";
  const [lastSetting, lastOrigin, lastHost] = lastAllowed ?? [];
  if (origin !== "" && setting === lastSetting && origin === lastOrigin && header === lastHost) return next();
  const named = [new URL(c.req.url).host, header].filter((host) => host !== "");
  const foreign = named.find((host) => !isAllowedHost(setting, host));
  if (foreign !== undefined || named.length === 0) {
    const detail =
      `This edge serves its own machine, and the request names the host "${(foreign ?? "").slice(0, 128)}". Call it as ` +
      "127.0.0.1 or localhost, or name the host in GANGLION_ALLOWED_HOSTS where a proxy passes such requests on.";
    throw new Refusal(problem("foreign-host", 421, "The request means another host", detail));
  }
  lastAllowed = [setting, origin, header];
  return next();
};
