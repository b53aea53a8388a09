import type { Endpoint } from "./api.ts";
import { permissionOf } from "./permission.ts";
import type { EndpointSettings } from "./settings.ts";

type View = Pick<
  Endpoint,
  "format" | "template" | "header_names" | "has_routing_key" | "topic" | "handshake" | "questions"
>;

/** The settings of an endpoint as people see them: without the values of headers, and without its key. */
export function settingsView(settings: EndpointSettings, nowMs: number): View {
  const { format, template, headers, routing_key: key, topic, questions } = settings;
  return {
    ...(format === undefined ? {} : { format }),
    ...(template === undefined ? {} : { template }),
    ...(headers === undefined ? {} : { header_names: Object.keys(headers) }),
    ...(key === undefined ? {} : { has_routing_key: true }),
    ...(topic === undefined ? {} : { topic }),
    ...(questions === undefined ? {} : { questions }),
    ...(settings.handshake === true ? { handshake: handshakeView(settings, nowMs) } : {}),
  };
}

function handshakeView(settings: EndpointSettings, nowMs: number): NonNullable<View["handshake"]> {
  const permission = permissionOf(settings, nowMs);
  if (permission === undefined) return { allowed: false };
  return { allowed: true, per_minute: permission.rate, allowed_at: new Date(permission.at_ms).toISOString() };
}
