/** Canonical domains, and the parts of names by which each is recognised. The first that occurs counts. */
const OCCURRING: readonly (readonly [domain: string, parts: readonly string[]])[] = [
  ["database", ["postgresql", "postgres", "mysql", "database", "sql", "db"]],
  ["messaging", ["kafka", "rabbitmq", "queue", "messaging"]],
  ["cache", ["redis", "memcached", "cache"]],
  ["api", ["http", "rest", "graphql", "api"]],
];

/** Short parts occur in other words (`rest` in `interest`, `api` in `rapid`), so they count as whole words alone. */
const SHORT = 4;

/**
 * Brings a domain to its canonical name by what occurs in it: `postgres_users` is `database`. Any other domain stays as it
 * is, in lower case with `_` between its words.
 */
export function canonicalDomain(domain: string): string {
  const name = wordsOf(domain).join("_");
  const lower = domain.toLowerCase();
  const words = new Set([...wordsOf(domain), ...wordsOf(lower)]);
  const occurs = (part: string) => (part.length <= SHORT ? words.has(part) : lower.includes(part));
  return OCCURRING.find(([, parts]) => parts.some(occurs))?.[0] ?? name;
}

/** The words of a name in snake, kebab or camel case, in lower case. */
export function wordsOf(text: string): string[] {
  return text
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
}
