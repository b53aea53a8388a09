const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

/** Pauses between attempts: close together at first, because most outages are short, and almost a day in all. */
const PAUSES_MS = [5, 30, 120, 600, 1_800, 3_600, 10_800, 21_600, 43_200].map((seconds) => seconds * SECOND_MS);
export const MAX_ATTEMPTS = PAUSES_MS.length + 1;
/** Older than this a delivery is given up, however often it was tried. */
export const GIVE_UP_MS = DAY_MS;
/** An endpoint that fails is asked again at least this often. */
const MAX_ENDPOINT_PAUSE_MS = 3_600 * SECOND_MS;

/** How an attempt ended. */
export type Answer =
  | { readonly status: number; readonly retryAfter?: string | null }
  /** There was no answer: refused, broken off, not in time. */
  | { readonly error: string };

export type DeliveryVerdict =
  | { readonly kind: "delivered" }
  /** 410: the receiver wants no more. */
  | { readonly kind: "gone"; readonly error: string }
  | {
      readonly kind: "failed";
      readonly error: string;
      /** It is the endpoint that fails, and not this message at the endpoint: the others wait too. */
      readonly endpointFails: boolean;
      /** The receiver asked for this pause. */
      readonly retryAfterMs: number | undefined;
    };

export function judge(answer: Answer, nowMs: number): DeliveryVerdict {
  if ("error" in answer) return { kind: "failed", error: answer.error, endpointFails: true, retryAfterMs: undefined };
  const { status, retryAfter } = answer;
  if (status >= 200 && status < 300) return { kind: "delivered" };
  if (status === 410) return { kind: "gone", error: "the endpoint answered 410 Gone" };
  // A redirect is not followed: where it leads was not checked, and a changed address is to be put right by a person.
  const redirected = status >= 300 && status < 400 ? ", a redirect, which is not followed" : "";
  return {
    kind: "failed",
    error: `the endpoint answered ${status}${redirected}`,
    endpointFails: status >= 500 || status === 429 || status === 408 || redirected !== "",
    retryAfterMs: readRetryAfter(retryAfter ?? undefined, nowMs),
  };
}

/**
 * Pause after an attempt that failed.
 *
 * @param attempts - made so far, from 1
 * @param random - from 0 to below 1
 * @returns milliseconds, within a fifth of the plan: what failed together does not come back together
 */
export function pauseMs(attempts: number, random: number): number {
  const plan = PAUSES_MS[Math.min(attempts, PAUSES_MS.length) - 1] ?? DAY_MS;
  return Math.round(plan * (0.8 + 0.4 * random));
}

/** Pause of an endpoint that failed `failures` times in a row. */
export function endpointPauseMs(failures: number, random: number): number {
  return Math.min(MAX_ENDPOINT_PAUSE_MS, pauseMs(failures, random));
}

/** https://www.rfc-editor.org/rfc/rfc9110#name-retry-after, a day at most. */
function readRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(text.trim()) ? Number(text) * SECOND_MS : Date.parse(text) - nowMs;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), DAY_MS) : undefined;
}
