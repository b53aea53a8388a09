import { originOf } from "../../core/webhooks/endpoint.ts";
import { type HandshakeAnswer, readHandshake, requestHeaders } from "../../core/webhooks/permission.ts";
import type { EndpointResponse } from "../../core/webhooks/schedule.ts";
import type { EndpointSettings, Permission } from "../../core/webhooks/settings.ts";
import { signatureHeaders } from "../../core/webhooks/signature.ts";
import type { Fetch } from "../shell/limited-fetch.ts";

/** Time limit for the response of an endpoint, in milliseconds. */
const TIMEOUT_MS = 15_000;
const USER_AGENT = "ganglion-webhooks/1";

/** What one attempt sends. */
export interface WebhookMessage {
  readonly id: string;
  readonly contentType: string;
  readonly body: string;
  /** Headers of the endpoint's own. */
  readonly headers: Readonly<Record<string, string>>;
  /** W3C traceparent; `null`: none. */
  readonly trace: string | null;
  /** The secrets that are valid now. */
  readonly secrets: readonly string[];
}

/**
 * Makes one attempt. Never throws: a failure is returned as a response with an `error`.
 *
 * @param fetch - of the object that sends
 */
export function send(url: string, message: WebhookMessage, fetch: Fetch): Promise<EndpointResponse> {
  const { id, body, contentType, secrets } = message;
  return withinLimit(url, async (signal) => {
    const timestamp = Math.floor(Date.now() / 1_000);
    const headers = new Headers(message.headers);
    headers.set("Content-Type", contentType);
    if (!headers.has("User-Agent")) headers.set("User-Agent", USER_AGENT);
    if (message.trace !== null && !headers.has("traceparent")) headers.set("traceparent", message.trace);
    for (const [name, value] of Object.entries(await signatureHeaders({ id, timestamp, body }, secrets)))
      headers.set(name, value);
    const response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
    const received = { status: response.status, retryAfter: response.headers.get("retry-after") };
    // The body is not needed. Unread, it would hold the connection.
    await response.body?.cancel().catch(() => undefined);
    return received;
  });
}

/** Asks an endpoint whether it takes messages. Never throws. */
export async function askPermission(
  url: string,
  settings: EndpointSettings,
  fetch: Fetch,
): Promise<Permission | EndpointResponse> {
  const answer = await withinLimit(url, async (signal): Promise<HandshakeAnswer> => {
    const headers = { "User-Agent": USER_AGENT, ...settings.headers, ...requestHeaders(settings) };
    const response = await fetch(url, { method: "OPTIONS", headers, redirect: "manual", signal });
    await response.body?.cancel().catch(() => undefined);
    return {
      status: response.status,
      retryAfter: response.headers.get("retry-after"),
      allowedOrigin: response.headers.get("webhook-allowed-origin"),
      allowedRate: response.headers.get("webhook-allowed-rate"),
    };
  });
  return "error" in answer ? answer : readHandshake(answer, settings, Date.now());
}

async function withinLimit<Answer>(
  url: string,
  request: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer | { readonly error: string }> {
  // Not AbortSignal.timeout: its timer keeps running after the response, so the object would stay awake and be billed.
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), TIMEOUT_MS);
  try {
    return await request(limit.signal);
  } catch (error) {
    if (limit.signal.aborted) return { error: `no answer within ${TIMEOUT_MS / 1_000} s` };
    // The path of the URL may hold a secret, and people see this text.
    const reason = error instanceof Error ? error.message.replaceAll(url, originOf(url)) : String(error);
    return { error: `the endpoint could not be reached: ${understandable(reason, url).slice(0, 300)}` };
  } finally {
    clearTimeout(timer);
  }
}

/** The runtime hides why a connection could not be made, mostly of a name that does not resolve, behind a reference of its own. */
function understandable(reason: string, url: string): string {
  if (!/^internal error\b/i.test(reason)) return reason;
  return `no connection to ${originOf(url)}: check that its name resolves and that it accepts connections`;
}
