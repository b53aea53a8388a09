/** The scopes that a token can have. `admin` implies all others. */
export const SCOPES = ["signals:write", "signals:read", "tasks:write", "tasks:work", "policy:write", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

export function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text);
}
