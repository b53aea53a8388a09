import { originOf } from "../../core/webhooks/endpoint.ts";
import type { EndpointResponse } from "../../core/webhooks/schedule.ts";
import { signatureHeaders } from "../../core/webhooks/signature.ts";
import type { Fetch } from "../shell/limited-fetch.ts";

/** Time limit for the response of an endpoint, in milliseconds. */
const TIMEOUT_MS = 15_000;

/** What one attempt sends. */
export interface WebhookMessage {
  readonly id: string;
  readonly body: string;
  /** The secrets that are valid now. */
  readonly secrets: readonly string[];
}

/**
 * Makes one attempt. Never throws: a failure is returned as a response with an `error`.
 *
 * @param fetch - of the object that sends
 */
export async function send(
  url: string,
  { id, body, secrets }: WebhookMessage,
  fetch: Fetch,
): Promise<EndpointResponse> {
  // Not AbortSignal.timeout: its timer keeps running after the response, so the object would stay awake and be billed.
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), TIMEOUT_MS);
  try {
    const timestamp = Math.floor(Date.now() / 1_000);
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "User-Agent": "ganglion-webhooks/1",
        ...(await signatureHeaders({ id, timestamp, body }, secrets)),
      },
      body,
      redirect: "manual",
      signal: limit.signal,
    });
    const received = { status: response.status, retryAfter: response.headers.get("retry-after") };
    // The body is not needed. Unread, it would hold the connection.
    await response.body?.cancel().catch(() => undefined);
    return received;
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
