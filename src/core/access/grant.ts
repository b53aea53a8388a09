import type { Scope } from "./scopes.ts";

/** Everything about a token but its secret. */
export interface Grant {
  readonly id: string;
  /** For people: where the token is used. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Names of ecosystems; `*` stands for all of them, those that do not exist yet included. */
  readonly ecosystems: readonly string[];
  /** RFC 3339 in UTC, or `null`: never. */
  readonly expires_at: string | null;
}

export type Authorisation = "allowed" | "expired" | "no_scope" | "no_ecosystem";

/**
 * Whether a token reaches as far as a call needs.
 *
 * @param ecosystem - `undefined` for calls that belong to no ecosystem (tokens). Those need `*`: an administrator of
 * one ecosystem who could make tokens could make one for the others.
 */
export function authorise(grant: Grant, scope: Scope, ecosystem: string | undefined, nowMs: number): Authorisation {
  if (hasExpired(grant, nowMs)) return "expired";
  if (!grant.scopes.includes(scope) && !grant.scopes.includes("admin")) return "no_scope";
  if (grant.ecosystems.includes("*")) return "allowed";
  return ecosystem !== undefined && grant.ecosystems.includes(ecosystem) ? "allowed" : "no_ecosystem";
}

/** A time that cannot be read counts as past: a damaged record must not become a token that never ends. */
export function hasExpired(grant: Grant, nowMs: number): boolean {
  return grant.expires_at !== null && !(Date.parse(grant.expires_at) > nowMs);
}
