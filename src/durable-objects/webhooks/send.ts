import { originOf } from "../../core/webhooks/endpoint.ts";
import type { Answer } from "../../core/webhooks/schedule.ts";
import { signatureHeaders } from "../../core/webhooks/signature.ts";

/** Longest wait for an endpoint's answer. */
const TIMEOUT_MS = 15_000;

/**
 * One attempt. Never throws: what goes wrong is an answer.
 *
 * @param secrets - all that are valid now
 */
export async function send(
  url: string,
  { id, body, secrets }: { id: string; body: string; secrets: readonly string[] },
): Promise<Answer> {
  // Not AbortSignal.timeout: its timer runs on when the answer has come, and keeps the object awake, and billed, for it.
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
    const answer = { status: response.status, retryAfter: response.headers.get("retry-after") };
    // What it says is of no use here; unread it would hold the connection.
    await response.body?.cancel().catch(() => undefined);
    return answer;
  } catch (error) {
    if (limit.signal.aborted) return { error: `no answer within ${TIMEOUT_MS / 1_000} s` };
    // A URL's path may hold a secret, and this text is shown.
    const reason = error instanceof Error ? error.message.replaceAll(url, originOf(url)) : String(error);
    return { error: `the endpoint could not be reached: ${reason.slice(0, 300)}` };
  } finally {
    clearTimeout(timer);
  }
}
