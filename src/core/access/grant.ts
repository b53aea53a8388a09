import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";
import { Bindings } from "./bindings.ts";
import { SCOPES, type Scope } from "./scopes.ts";

/** Everything about a token but its secret. */
export const Grant = z.object({
  id: z.string(),
  /** For people: where the token is used. */
  name: z.string(),
  scopes: z.array(z.enum(SCOPES)).readonly(),
  /** Names of ecosystems; `*` stands for all, including those that do not exist yet. */
  ecosystems: z.array(z.string()).readonly(),
  /** `null`: the token never expires. */
  expires_at: Timestamp.nullable(),
  ...Bindings.shape,
});
export type Grant = Readonly<z.infer<typeof Grant>>;

/** Who calls: a token, or the session of a browser that was begun with it. */
export type Caller = Grant & { readonly session?: CallerSession };

export interface CallerSession {
  readonly id: string;
  /** Whether the session may change what its token may change; `false`: it only reads. */
  readonly act: boolean;
}

export type Authorisation = "allowed" | "expired" | "no_scope" | "no_ecosystem";

/**
 * Checks whether a token allows a call.
 *
 * @param ecosystem - `undefined` for calls that belong to no ecosystem, such as those about tokens. They need `*`: an
 * administrator of one ecosystem who could create tokens could create one for other ecosystems.
 */
export function authorise(grant: Grant, scope: Scope, ecosystem: string | undefined, nowMs: number): Authorisation {
  if (hasExpired(grant, nowMs)) return "expired";
  if (!grant.scopes.includes(scope) && !grant.scopes.includes("admin")) return "no_scope";
  if (grant.ecosystems.includes("*")) return "allowed";
  return ecosystem !== undefined && grant.ecosystems.includes(ecosystem) ? "allowed" : "no_ecosystem";
}

/** {@link authorise}, where any scope will do. */
export function admits(grant: Grant, ecosystem: string, nowMs: number): Exclude<Authorisation, "no_scope"> {
  if (hasExpired(grant, nowMs)) return "expired";
  return grant.ecosystems.includes("*") || grant.ecosystems.includes(ecosystem) ? "allowed" : "no_ecosystem";
}

/** When the token expires, in milliseconds since the epoch; `null`: never. */
export function expiresMs({ expires_at }: Pick<Grant, "expires_at">): number | null {
  if (expires_at === null) return null;
  const ms = Date.parse(expires_at);
  return Number.isNaN(ms) ? 0 : ms;
}

/** A time that cannot be read counts as past: a damaged record must not become a token that never expires. */
export function hasExpired(grant: Grant, nowMs: number): boolean {
  return grant.expires_at !== null && !(Date.parse(grant.expires_at) > nowMs);
}
