import type { MiddlewareHandler } from "hono";
import { isAllowedHost } from "../../../core/access/allowed-hosts.ts";
import { problem } from "../../../core/problem/problem.ts";
import type { ApiEnv } from "./api-env.ts";
import { Refusal } from "./refusal.ts";

/** Refuses requests that mean another host, where `ALLOWED_HOSTS` is set: on the edge of one machine. */
export const onlyAllowedHosts: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const setting = c.env.ALLOWED_HOSTS;
  const named = [new URL(c.req.url).host, c.req.header("host") ?? ""].filter((host) => host !== "");
  const foreign = named.find((host) => !isAllowedHost(setting, host));
  if (foreign !== undefined || (setting !== undefined && named.length === 0)) {
    const detail =
      `This edge serves its own machine, and the request names the host "${(foreign ?? "").slice(0, 128)}". Call it as ` +
      "127.0.0.1 or localhost, or name the host in GANGLION_ALLOWED_HOSTS where a proxy passes such requests on.";
    throw new Refusal(problem("foreign-host", 421, "The request means another host", detail));
  }
  await next();
};
