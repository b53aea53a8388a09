import type { MiddlewareHandler } from "hono";
import type { ApiEnv } from "./api-env.ts";

/** Paths to which other services send their events. */
const TARGETS = /^\/v1\/[a-z0-9-]{1,63}\/(signals|inbox\/[^/]+)\/?$/;
/** Requests a minute that are allowed to one who asks. A request carries many events; what is too much is refused by itself. */
const MAX_RATE = 6_000;

/**
 * Answers a service that asks whether it may send its events here, as a webhook of CloudEvents. It says so to everybody,
 * and gives away nothing: what is sent needs a token, or a signature, all the same. Nobody is called back.
 *
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md#4-abuse-protection
 */
export const webhookHandshake: MiddlewareHandler<ApiEnv> = (c, next) => {
  if (c.req.method !== "OPTIONS") return next();
  const origin = c.req.header("webhook-request-origin");
  if (origin === undefined || !TARGETS.test(c.req.path)) return next();
  const asked = c.req.header("webhook-request-rate");
  const rate = asked !== undefined && /^[1-9]\d{0,8}$/.test(asked) ? Math.min(Number(asked), MAX_RATE) : MAX_RATE;
  const answer = c.body(null, 200, {
    Allow: "POST",
    "WebHook-Allowed-Origin": origin,
    "WebHook-Allowed-Rate": String(rate),
  });
  return Promise.resolve(answer);
};
