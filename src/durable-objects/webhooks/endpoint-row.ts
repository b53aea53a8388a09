import type { EndpointQueueState } from "../../core/webhooks/delivery-scheduler.ts";
import type { Endpoint, EndpointChange, EndpointInput } from "../../core/webhooks/endpoint.ts";
import { makeSecret, SECRET_BYTES } from "../../core/webhooks/secret.ts";
import type { EndpointRow } from "./webhook-store.ts";

/** The secret before the present one signs along for so long. */
const OLD_SECRET_MS = 86_400_000;

export const newSecret = () => makeSecret(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));

export function newRow(id: string, input: EndpointInput, secret: string, nowMs: number): EndpointRow {
  return {
    ...{
      id,
      url: input.url,
      secret,
      old_secret: null,
      old_secret_until_ms: 0,
      enabled: Number(input.enabled),
      gone: 0,
    },
    ...{ description: input.description, created_ms: nowMs, failures: 0, paused_until_ms: 0 },
    ...{ failing_since_ms: null, last_error: null },
  };
}

/** What is not named stays as it is. */
export function changedRow(before: EndpointRow, { url, enabled, description }: EndpointChange): EndpointRow {
  return {
    ...before,
    ...(url === undefined ? {} : { url }),
    ...(enabled === undefined ? {} : { enabled: Number(enabled) }),
    ...(description === undefined ? {} : { description }),
  };
}

export function withSecret(before: EndpointRow, secret: string, nowMs: number): EndpointRow {
  return { ...before, secret, old_secret: before.secret, old_secret_until_ms: nowMs + OLD_SECRET_MS };
}

/** Another address, or somebody who switches it on: what was learnt of its failures does not count any more. */
export function forgiven(row: EndpointRow, before: EndpointRow | undefined): EndpointRow {
  const anew = row.url !== before?.url || (row.enabled === 1 && before.enabled === 0);
  return anew ? { ...row, gone: 0, failures: 0, paused_until_ms: 0, failing_since_ms: null, last_error: null } : row;
}

/** @param waiting - deliveries that are not over */
export function viewOf(row: EndpointRow, waiting: number, nowMs: number): Endpoint {
  const { id, url, enabled, gone, description, created_ms, failing_since_ms, last_error } = row;
  const rotating = row.old_secret !== null && row.old_secret_until_ms > nowMs;
  return {
    ...{ id, url, enabled: enabled === 1, description, created_at: new Date(created_ms).toISOString() },
    ...(gone === 1 ? { disabled_reason: "gone" as const } : {}),
    waiting,
    ...(failing_since_ms === null ? {} : { failing_since: new Date(failing_since_ms).toISOString() }),
    ...(last_error === null ? {} : { last_error }),
    ...(rotating ? { old_secret_until: new Date(row.old_secret_until_ms).toISOString() } : {}),
  };
}

export function endpointQueueOf(row: EndpointRow): EndpointQueueState {
  return {
    enabled: row.enabled === 1,
    gone: row.gone === 1,
    failures: row.failures,
    pausedUntilMs: row.paused_until_ms,
    failingSinceMs: row.failing_since_ms,
  };
}

/** Receivers take a message when any of its signatures fits. */
export function secretsOf({ secret, old_secret, old_secret_until_ms }: EndpointRow, nowMs: number): string[] {
  return old_secret !== null && old_secret_until_ms > nowMs ? [secret, old_secret] : [secret];
}
