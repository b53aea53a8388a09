const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

/**
 * Delays between the attempts of one delivery, in milliseconds: 5 s, 30 s, 2 min, 10 min, 30 min, 1 h, 3 h, 6 h, 12 h.
 * They are short at first, because most outages are short, and add up to 22.7 hours.
 */
const RETRY_DELAYS_MS = [5, 30, 120, 600, 1_800, 3_600, 10_800, 21_600, 43_200].map((seconds) => seconds * SECOND_MS);
/** Attempts of one delivery, the first included: 10. */
export const MAX_ATTEMPTS = RETRY_DELAYS_MS.length + 1;
/** A delivery that was accepted this long ago (milliseconds; one day) is given up, however many attempts it had. */
export const MAX_AGE_MS = DAY_MS;
/** Longest delay before a failing endpoint is tried again, in milliseconds: one hour. */
const MAX_ENDPOINT_DELAY_MS = 3_600 * SECOND_MS;
/** A delay is spread by up to this share in either direction: deliveries that failed together do not return together. */
const JITTER = 0.2;

/** How one attempt ended, as the sender saw it. */
export type EndpointResponse =
  | { readonly status: number; readonly retryAfter?: string | null }
  /** There was no response: the connection was refused or broke off, or the time limit passed. */
  | { readonly error: string }
  /** Nothing was sent, because this message has no form that could be sent. The endpoint has no part in that. */
  | { readonly unsent: string };

export type AttemptOutcome =
  | { readonly kind: "delivered" }
  /** The endpoint answered 410: the receiver wants no further messages. */
  | { readonly kind: "gone"; readonly error: string }
  | {
      readonly kind: "failed";
      readonly error: string;
      /** The endpoint as a whole fails, not only this message: its other deliveries wait too. */
      readonly endpointFails: boolean;
      /** The delay in milliseconds that the receiver asked for with `Retry-After`. */
      readonly retryAfterMs: number | undefined;
    };

/**
 * Decides what an attempt's response means. Any 2xx is a success. 410 ends the endpoint. 5xx, 429, 408, a redirect and
 * a missing response are failures of the endpoint; any other status is a failure of this message alone.
 *
 * @param nowMs - milliseconds since the epoch, against which a `Retry-After` date is read
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#deliverability-and-reliability
 */
export function classifyResponse(response: EndpointResponse, nowMs: number): AttemptOutcome {
  if ("unsent" in response)
    return { kind: "failed", error: response.unsent, endpointFails: false, retryAfterMs: undefined };
  if ("error" in response)
    return { kind: "failed", error: response.error, endpointFails: true, retryAfterMs: undefined };
  const { status, retryAfter } = response;
  if (status >= 200 && status < 300) return { kind: "delivered" };
  if (status === 410) return { kind: "gone", error: "the endpoint answered 410 Gone" };
  // A redirect is not followed: its target was not checked, and a person has to correct an address that has changed.
  const redirected = status >= 300 && status < 400 ? ", a redirect, which is not followed" : "";
  return {
    kind: "failed",
    error: `the endpoint answered ${status}${redirected}`,
    endpointFails: status >= 500 || status === 429 || status === 408 || redirected !== "",
    retryAfterMs: readRetryAfter(retryAfter ?? undefined, nowMs),
  };
}

/**
 * Delay before the next attempt of a delivery.
 *
 * @param attempts - attempts made so far, from 1; beyond the ninth the delay stays at 12 hours
 * @param random - from 0 to below 1
 * @returns milliseconds, within a fifth of {@link RETRY_DELAYS_MS}
 */
export function retryDelayMs(attempts: number, random: number): number {
  const planned = RETRY_DELAYS_MS[Math.min(attempts, RETRY_DELAYS_MS.length) - 1] ?? DAY_MS;
  return Math.round(planned * (1 - JITTER + 2 * JITTER * random));
}

/**
 * Delay before a failing endpoint is tried again.
 *
 * @param failures - failures of the endpoint in a row, from 1
 * @param random - from 0 to below 1
 * @returns milliseconds, one hour at most
 */
export function endpointDelayMs(failures: number, random: number): number {
  return Math.min(MAX_ENDPOINT_DELAY_MS, retryDelayMs(failures, random));
}

/**
 * @returns milliseconds, from 0 to one day; `undefined` for text that is neither seconds nor a date
 * Some services give a fraction of a second, which no date may be made of.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-retry-after
 */
function readRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{1,9}(\.\d{1,9})?$/.test(text.trim()) ? Number(text) * SECOND_MS : Date.parse(text) - nowMs;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), DAY_MS) : undefined;
}
