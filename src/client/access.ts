import { CreatedToken, Tokens } from "../core/access/api.ts";
import type { NewToken } from "../core/access/new-token.ts";
import { type CallEdge, NoAnswer } from "./http/request.ts";

/** Calls about tokens. They belong to no ecosystem. */
export function tokenCalls({ call }: { readonly call: CallEdge }) {
  return {
    /** The answer holds the token itself, this once. */
    create: (wanted: NewToken) => call(CreatedToken, { method: "POST", path: "/v1/tokens", body: wanted }),
    list: async () => (await call(Tokens, { path: "/v1/tokens" })).tokens,
    delete: (id: string) => call(NoAnswer, { method: "DELETE", path: `/v1/tokens/${encodeURIComponent(id)}` }),
  };
}
