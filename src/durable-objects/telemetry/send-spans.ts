import { traceDocument } from "../../core/telemetry/otlp.ts";
import type { ReceiverAnswer } from "../../core/telemetry/receiver-answer.ts";
import { type ExportSettings, requestHeaders, withoutSecrets } from "../../core/telemetry/settings.ts";
import { originOf } from "../../core/webhooks/endpoint.ts";
import type { Fetch } from "../shell/limited-fetch.ts";

/** Time limit for the response of a receiver, in milliseconds. */
const TIMEOUT_MS = 15_000;
/** Of an answer that is read. */
const MAX_ANSWER_BYTES = 16_384;

/**
 * Sends one request. Never throws: a failure is returned as an answer with an `error`. What comes back holds nothing that is
 * secret in the settings.
 *
 * @param fetch - of the object that sends
 */
export async function sendSpans(
  settings: ExportSettings,
  spans: readonly string[],
  ecosystem: string,
  fetch: Fetch,
  timeoutMs = TIMEOUT_MS,
): Promise<ReceiverAnswer> {
  const { url } = settings;
  // Not AbortSignal.timeout: its timer keeps running after the response, so the object would stay awake and be billed.
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), timeoutMs);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: requestHeaders(settings),
      body: traceDocument(spans, ecosystem),
      // A redirect that is followed would send the keys to another address.
      redirect: "manual",
      signal: limit.signal,
    });
    const body = withoutSecrets(await readBounded(response, limit.signal), settings);
    return { status: response.status, retryAfter: response.headers.get("retry-after"), body };
  } catch (error) {
    if (limit.signal.aborted) return { error: `no answer within ${timeoutMs / 1_000} s` };
    const reason = error instanceof Error ? error.message : String(error);
    return { error: `the receiver could not be reached: ${understandable(withoutSecrets(reason, settings), url)}` };
  } finally {
    clearTimeout(timer);
  }
}

/** The runtime hides why a connection could not be made behind a reference of its own. The path may hold a secret. */
function understandable(reason: string, url: string): string {
  if (!/^internal error\b/i.test(reason)) return reason.replaceAll(url, originOf(url)).slice(0, 300);
  return `no connection to ${originOf(url)}: check that its name resolves and that it accepts connections`;
}

async function readBounded(response: Response, signal: AbortSignal): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  let text = "";
  for (let bytes = 0; bytes < MAX_ANSWER_BYTES; ) {
    const { done, value } = await reader.read();
    signal.throwIfAborted();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text;
}
