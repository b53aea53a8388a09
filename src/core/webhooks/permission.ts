import type { EndpointState } from "./delivery-scheduler.ts";
import type { EndpointResponse } from "./schedule.ts";
import type { EndpointSettings, Permission } from "./settings.ts";

/** A permission holds for a day, in milliseconds. Then the endpoint is asked again. */
const PERMISSION_MS = 86_400_000;
/** Messages a minute that the edge asks for: more than it sends. */
const ASKED_RATE = 1_200;

export function permissionOf({ permission }: EndpointSettings, nowMs: number): Permission | undefined {
  return permission !== undefined && permission.at_ms + PERMISSION_MS > nowMs ? permission : undefined;
}

/** How fast messages may follow each other to an endpoint that is asked first. */
export function paceOf(settings: EndpointSettings, nowMs: number): EndpointState["pace"] {
  if (settings.handshake !== true) return undefined;
  const permission = permissionOf(settings, nowMs);
  if (permission === undefined) return "alone";
  return permission.rate === null ? undefined : Math.ceil(60_000 / permission.rate);
}

/** As whom the edge asks: the name of the host under which people know it. */
export const originName = ({ edge }: EndpointSettings): string =>
  edge === undefined ? "ganglion" : new URL(edge).hostname;

/** @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md#41-validation-request */
export const requestHeaders = (settings: EndpointSettings): Record<string, string> => ({
  "WebHook-Request-Origin": originName(settings),
  "WebHook-Request-Rate": String(ASKED_RATE),
});

/** The answer to the question whether an endpoint takes messages. */
export interface HandshakeAnswer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly allowedOrigin: string | null;
  readonly allowedRate: string | null;
}

/** @returns what is wrong, as if the endpoint had answered so to a message */
export function readHandshake(
  { status, retryAfter, allowedOrigin, allowedRate }: HandshakeAnswer,
  settings: EndpointSettings,
  nowMs: number,
): Permission | EndpointResponse {
  const asked = originName(settings);
  if (status < 200 || status >= 300) {
    if (status === 410 || status === 429 || status >= 500) return { status, retryAfter };
    return { error: `the endpoint was asked whether it takes messages (OPTIONS), and answered ${status}` };
  }
  const origins = (allowedOrigin ?? "").split(",").map((origin) => origin.trim().toLowerCase());
  if (!origins.includes("*") && !origins.includes(asked.toLowerCase()))
    return { error: `the endpoint does not allow messages of ${asked}: its WebHook-Allowed-Origin does not name it` };
  const rate = Number(allowedRate ?? "*");
  return { rate: Number.isInteger(rate) && rate > 0 ? rate : null, at_ms: nowMs };
}
