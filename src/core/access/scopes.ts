/** What a token may be allowed to do. `admin` implies all the others. */
export const SCOPES = ["signals:write", "signals:read", "tasks:write", "tasks:work", "policy:write", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

export function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text);
}
