import { isBoundTo } from "../../core/access/bindings.ts";
import type { EndpointChange } from "../../core/webhooks/endpoint.ts";
import { EndpointSettings } from "../../core/webhooks/settings.ts";
import { readableOr } from "../shell/readable-rows.ts";
import type { EndpointRow } from "./webhook-store.ts";

const NONE: EndpointSettings = {};

export function readSettings({ settings }: Pick<EndpointRow, "settings">): EndpointSettings {
  if (settings === null) return NONE;
  return readableOr(
    "settings of webhook endpoints",
    settings,
    (text) => EndpointSettings.parse(JSON.parse(text)),
    NONE,
  );
}

/** @returns `null` where every setting has its default */
export function writeSettings(settings: EndpointSettings): string | null {
  return Object.keys(settings).length === 0 ? null : JSON.stringify(settings);
}

/**
 * The settings of an endpoint that somebody changes. A field that is absent keeps its value; null, an empty object, and the
 * default take it away.
 *
 * @param edge - the origin through which the endpoint is set
 */
export function changedSettings(
  before: EndpointSettings,
  change: EndpointChange,
  edge: string | undefined,
): EndpointSettings {
  const given = (name: "routing_key" | "topic") => change[name] ?? before[name];
  const format = change.format ?? before.format ?? "raw";
  const template = change.template === undefined ? before.template : (change.template ?? undefined);
  const headers = change.headers ?? before.headers ?? {};
  const handshake = change.handshake ?? before.handshake ?? false;
  const questions = change.questions ?? before.questions ?? [];
  // Who takes over the URL was not asked: a permission holds for the endpoint that gave it.
  const permission = handshake && change.url === undefined ? before.permission : undefined;
  const all = {
    format: format === "raw" ? undefined : format,
    template,
    headers: Object.keys(headers).length === 0 ? undefined : headers,
    routing_key: format === "pagerduty" ? given("routing_key") : undefined,
    topic: format === "ntfy" ? given("topic") : undefined,
    handshake: handshake ? true : undefined,
    questions: questions.length === 0 ? undefined : questions,
    permission,
  };
  const kept = EndpointSettings.parse(
    Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
  );
  const at = edge ?? before.edge;
  // Raw messages lead nobody back to the dashboard.
  return at === undefined || Object.keys(kept).length === 0 ? kept : { ...kept, edge: at };
}

/** The endpoints that take the questions for one of these recipients, and where people who read there reach the edge. */
export function takeQuestions(
  rows: readonly EndpointRow[],
  recipients: readonly string[],
): { id: string; edge: string | undefined }[] {
  return rows.flatMap((row) => {
    const { questions = [], edge } = readSettings(row);
    const takes = row.enabled === 1 && recipients.some((recipient) => isBoundTo(questions, recipient));
    return takes ? [{ id: row.id, edge }] : [];
  });
}
