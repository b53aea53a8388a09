import { post } from "../api/calls.ts";

export interface MadeToken {
  id: string;
  token: string;
  scopes: string[];
  hosts?: string[];
  sources?: string[];
  recipients?: string[];
}

/** A token for one ecosystem. */
export async function makeToken(ecosystem: string, scopes: readonly string[], more: object = {}): Promise<MadeToken> {
  const answer = await post("/v1/tokens", { name: "t", scopes, ecosystems: [ecosystem], ...more });
  if (answer.status !== 201) throw new Error(await answer.text());
  return answer.json();
}
