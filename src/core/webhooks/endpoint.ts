import * as z from "zod";
import { keyOf, SECRET_RULE } from "./secret.ts";
import { SettingsInput } from "./settings.ts";

/** Maximum number of endpoints of an ecosystem. */
export const MAX_ENDPOINTS = 100;

export const ENDPOINT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
export const ENDPOINT_RULE =
  "an endpoint's id starts with a letter or digit and holds letters, digits and . _ - (64 at most)";

const Url = z.string().min(1).max(2_048);
const Description = z.string().max(500).nullable();
/** `whsec_` and 24 to 64 bytes in base64. Without it a new endpoint gets a generated secret, a known one keeps its own. */
const Secret = z.string().refine((secret) => keyOf(secret) !== undefined, { message: SECRET_RULE });

/** An endpoint as an administrator adds or replaces it. Where its URL may lead is checked by `urlProblem`. */
export const EndpointInput = z.strictObject({
  url: Url,
  /** While an endpoint is switched off nothing is sent to it, and deliveries that come for it are skipped. */
  enabled: z.boolean().default(true),
  description: Description.default(null),
  secret: Secret.optional(),
  /** Without a form, the endpoint is raw again; without a template, it has none. */
  format: SettingsInput.format.optional(),
  template: SettingsInput.template.optional(),
  handshake: SettingsInput.handshake.optional(),
  questions: SettingsInput.questions.optional(),
  /** Without these an endpoint keeps its own. */
  headers: SettingsInput.headers.optional(),
  routing_key: SettingsInput.routing_key.optional(),
  topic: SettingsInput.topic.optional(),
});
export type EndpointInput = z.infer<typeof EndpointInput>;

/** A change of an endpoint. A field that is absent keeps its value. */
export const EndpointChange = z.strictObject({
  url: Url.optional(),
  enabled: z.boolean().optional(),
  description: Description.optional(),
  format: SettingsInput.format.optional(),
  template: SettingsInput.template.optional(),
  headers: SettingsInput.headers.optional(),
  routing_key: SettingsInput.routing_key.optional(),
  topic: SettingsInput.topic.optional(),
  handshake: SettingsInput.handshake.optional(),
  questions: SettingsInput.questions.optional(),
});
export type EndpointChange = z.infer<typeof EndpointChange>;

/** The URL without path and query, which may hold a secret. */
export function originOf(url: string): string {
  const { origin, pathname, search } = new URL(url);
  return pathname === "/" && search === "" ? `${origin}/` : `${origin}/…`;
}
