import * as z from "zod";
import { keyOf, SECRET_RULE } from "./secret.ts";

/** Endpoints of an ecosystem at most. */
export const MAX_ENDPOINTS = 100;

export const ENDPOINT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
export const ENDPOINT_RULE =
  "an endpoint's id starts with a letter or digit and holds letters, digits and . _ - (64 at most)";

const Url = z.string().min(1).max(2_048);
const Description = z.string().max(500).nullable();
/** `whsec_` and 24 to 64 bytes in base64. Left out: one is made, or the present one stays. */
const Secret = z.string().refine((secret) => keyOf(secret) !== undefined, { message: SECRET_RULE });

/** An endpoint as it is put. Where it leads is checked by {@link refusalOfUrl}. */
export const EndpointInput = z.strictObject({
  url: Url,
  /** While it is off nothing is sent, and what comes is skipped. */
  enabled: z.boolean().default(true),
  description: Description.default(null),
  secret: Secret.optional(),
});
export type EndpointInput = z.infer<typeof EndpointInput>;

/** What is not named stays as it is. */
export const EndpointChange = z.strictObject({
  url: Url.optional(),
  enabled: z.boolean().optional(),
  description: Description.optional(),
});
export type EndpointChange = z.infer<typeof EndpointChange>;

/** An endpoint as people see it. Its secrets are never in it. */
export interface Endpoint {
  readonly id: string;
  /** Whole for administrators; others see where it leads, without path and query, which may hold a secret. */
  readonly url: string;
  readonly enabled: boolean;
  /** `gone`: it answered 410 and was switched off for it. */
  readonly disabled_reason?: "gone";
  readonly description: string | null;
  readonly created_at: string;
  readonly waiting: number;
  /** It has not taken anything since. */
  readonly failing_since?: string;
  readonly last_error?: string;
  /** The secret before the present one signs along until then. */
  readonly old_secret_until?: string;
}

/** The URL without what may be a secret. */
export function originOf(url: string): string {
  const { origin, pathname, search } = new URL(url);
  return pathname === "/" && search === "" ? `${origin}/` : `${origin}/…`;
}
