/** The scopes that a token can have. `admin` implies all others. */
export const SCOPES = [
  "signals:write",
  "signals:read",
  "tasks:write",
  "tasks:work",
  "tasks:read",
  "hosts:command",
  "questions:answer",
  "permissions:answer",
  "policy:write",
  "admin",
] as const;
export type Scope = (typeof SCOPES)[number];

/**
 * What a token of an earlier version could do by a scope that now needs another scope too: what tasks hold could be read with
 * `signals:read`, and hosts were commanded with `tasks:write`, or by a rule.
 */
const SPLIT_OFF: readonly { readonly from: Scope; readonly scope: Scope }[] = [
  { from: "signals:read", scope: "tasks:read" },
  { from: "tasks:write", scope: "hosts:command" },
  { from: "policy:write", scope: "hosts:command" },
];

/** The scopes by which a stored token of an earlier version may do what it could do then. */
export function scopesSince(scopes: readonly Scope[]): Scope[] {
  const added = SPLIT_OFF.filter(({ from }) => scopes.includes(from)).map(({ scope }) => scope);
  return [...new Set([...scopes, ...added])];
}

export function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text);
}
