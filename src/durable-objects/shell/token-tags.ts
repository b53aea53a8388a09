/** Sockets are tagged with the token that opened them: a tag outlives hibernation and is found without a search. */
export const tokenTag = (id: string) => `token:${id}`;

export function tokenTags(query: URLSearchParams): string[] {
  const id = query.get("token");
  return id === null ? [] : [tokenTag(id)];
}

/** Policy violation. @see RFC 6455, section 7.4.1 */
export const TOKEN_GONE = 1008;
export const TOKEN_GONE_REASON = "the token was deleted or has expired";
