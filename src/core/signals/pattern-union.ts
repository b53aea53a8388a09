/** Patterns in one subscription. */
const MAX_PATTERNS = 64;

/**
 * Patterns that match at least every name that one of the lists matches, and few others: a reader that serves several sinks
 * subscribes to the union, and each sink picks its own signals. An exclusion stays only if no other list can match a name
 * that it excludes.
 */
export function unionOfPatterns(lists: readonly (readonly string[])[]): string[] {
  const parts = lists.map((list) => {
    const wanted = list.filter((pattern) => !pattern.startsWith("!"));
    const unwanted = list.filter((pattern) => pattern.startsWith("!")).map((pattern) => pattern.slice(1));
    return { wanted: wanted.length === 0 ? ["*"] : wanted, unwanted };
  });
  const wanted = new Set(parts.flatMap((part) => part.wanted));
  const unwanted = new Set(
    parts.flatMap((part) =>
      part.unwanted.filter((exclusion) =>
        parts.every(
          (other) =>
            other === part ||
            other.unwanted.includes(exclusion) ||
            !other.wanted.some((pattern) => patternsMeet(pattern, exclusion)),
        ),
      ),
    ),
  );
  const all = wanted.has("*") || wanted.size + unwanted.size > MAX_PATTERNS;
  return [...(all ? ["*"] : wanted), ...[...unwanted].map((pattern) => `!${pattern}`)].slice(0, MAX_PATTERNS);
}

/** Whether there is a name that both patterns match. */
export function patternsMeet(one: string, other: string): boolean {
  // meets[j]: whether the rest of `one` and other.slice(j) have a name in common.
  let meets: boolean[] = Array.from({ length: other.length + 1 }, (_, j) => /^\**$/.test(other.slice(j)));
  for (let i = one.length - 1; i >= 0; i--) {
    const next: boolean[] = [];
    next[other.length] = /^\**$/.test(one.slice(i));
    for (let j = other.length - 1; j >= 0; j--) {
      const star = one[i] === "*" || other[j] === "*";
      next[j] = star ? (meets[j] ?? false) || (next[j + 1] ?? false) : one[i] === other[j] && (meets[j + 1] ?? false);
    }
    meets = next;
  }
  return meets[0] ?? false;
}
