import type { Endpoint } from "../../core/webhooks/api.ts";
import type { EndpointState } from "../../core/webhooks/delivery-scheduler.ts";
import type { EndpointChange, EndpointInput } from "../../core/webhooks/endpoint.ts";
import { paceOf } from "../../core/webhooks/permission.ts";
import { makeSecret, SECRET_BYTES } from "../../core/webhooks/secret.ts";
import { settingsView } from "../../core/webhooks/settings-view.ts";
import { changedSettings, readSettings, writeSettings } from "./endpoint-settings.ts";
import type { EndpointRow } from "./webhook-store.ts";

/** Messages are also signed with the previous secret for this long, in milliseconds: one day. */
const OLD_SECRET_MS = 86_400_000;

export const newSecret = () => makeSecret(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));

/** @param edge - the origin through which the endpoint is set */
export function newRow(
  id: string,
  input: EndpointInput,
  secret: string,
  nowMs: number,
  edge: string | undefined,
): EndpointRow {
  return {
    id,
    url: input.url,
    secret,
    old_secret: null,
    old_secret_until_ms: 0,
    enabled: Number(input.enabled),
    gone: 0,
    description: input.description,
    created_ms: nowMs,
    failures: 0,
    paused_until_ms: 0,
    failing_since_ms: null,
    last_error: null,
    settings: writeSettings(changedSettings({}, input, edge)),
  };
}

/** A field that is absent keeps its value. */
export function changedRow(before: EndpointRow, change: EndpointChange, edge: string | undefined): EndpointRow {
  const { url, enabled, description } = change;
  return {
    ...before,
    settings: writeSettings(changedSettings(readSettings(before), change, edge)),
    ...(url === undefined ? {} : { url }),
    ...(enabled === undefined ? {} : { enabled: Number(enabled) }),
    ...(description === undefined ? {} : { description }),
  };
}

export function withSecret(before: EndpointRow, secret: string, nowMs: number): EndpointRow {
  return { ...before, secret, old_secret: before.secret, old_secret_until_ms: nowMs + OLD_SECRET_MS };
}

/** Clears the failures of an endpoint that got another URL or was switched on: they say nothing about it any more. */
export function withFailuresCleared(row: EndpointRow, before: EndpointRow | undefined): EndpointRow {
  const restarted = row.url !== before?.url || (row.enabled === 1 && before.enabled === 0);
  return restarted
    ? { ...row, gone: 0, failures: 0, paused_until_ms: 0, failing_since_ms: null, last_error: null }
    : row;
}

/** @param waiting - number of deliveries that wait for the endpoint */
export function viewOf(row: EndpointRow, waiting: number, nowMs: number): Endpoint {
  const { id, url, enabled, gone, description, created_ms, failing_since_ms, last_error } = row;
  const rotating = row.old_secret !== null && row.old_secret_until_ms > nowMs;
  return {
    id,
    url,
    enabled: enabled === 1,
    description,
    ...settingsView(readSettings(row), nowMs),
    created_at: new Date(created_ms).toISOString(),
    ...(gone === 1 ? { disabled_reason: "gone" as const } : {}),
    waiting,
    ...(failing_since_ms === null ? {} : { failing_since: new Date(failing_since_ms).toISOString() }),
    ...(last_error === null ? {} : { last_error }),
    ...(rotating ? { old_secret_until: new Date(row.old_secret_until_ms).toISOString() } : {}),
  };
}

export function endpointStateOf(row: EndpointRow, nowMs: number): EndpointState {
  return {
    pace: paceOf(readSettings(row), nowMs),
    enabled: row.enabled === 1,
    gone: row.gone === 1,
    failures: row.failures,
    pausedUntilMs: row.paused_until_ms,
    failingSinceMs: row.failing_since_ms,
  };
}

/** The secrets to sign with. A receiver accepts a message when one of its signatures is valid. */
export function secretsOf({ secret, old_secret, old_secret_until_ms }: EndpointRow, nowMs: number): string[] {
  return old_secret !== null && old_secret_until_ms > nowMs ? [secret, old_secret] : [secret];
}
