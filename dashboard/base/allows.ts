import type { Scope } from "../../src/core/access/scopes.ts";

/** Whether a token of these scopes may do what takes a scope: administrators may do everything. */
export const allows = (scopes: readonly Scope[], wanted: Scope): boolean =>
  scopes.some((scope) => scope === wanted || scope === "admin");
