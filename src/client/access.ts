import { CreatedToken, Tokens } from "../core/access/api.ts";
import type { NewToken } from "../core/access/new-token.ts";
import { CurrentSession, SessionCode, Sessions } from "../core/access/session.ts";
import { NoAnswer } from "./answers/no-answer.ts";
import type { CallEdge } from "./http/request.ts";

/** Calls about tokens. They belong to no ecosystem. */
export function tokenCalls({ call }: { readonly call: CallEdge }) {
  return {
    /** The answer holds the token itself, this once. */
    create: (wanted: NewToken) => call(CreatedToken, { method: "POST", path: "/v1/tokens", body: wanted }),
    list: async () => (await call(Tokens, { path: "/v1/tokens" })).tokens,
    delete: (id: string) => call(NoAnswer, { method: "DELETE", path: `/v1/tokens/${encodeURIComponent(id)}` }),
  };
}

/** Calls about the sessions of browsers. They belong to no ecosystem. */
export function sessionCalls({ call }: { readonly call: CallEdge }) {
  const path = "/v1/sessions";
  return {
    /** A code with which one browser begins one session of the caller's token. */
    createCode: (act: boolean) => call(SessionCode, { method: "POST", path, body: { act } }),
    list: async () => (await call(Sessions, { path })).sessions,
    end: (id: string) => call(NoAnswer, { method: "DELETE", path: `${path}/${encodeURIComponent(id)}` }),
    /** Who calls, and what the caller may do. */
    current: () => call(CurrentSession, { path: `${path}/current` }),
    endCurrent: () => call(NoAnswer, { method: "DELETE", path: `${path}/current` }),
  };
}
