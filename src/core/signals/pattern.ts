/**
 * Whether a list of patterns matches a name. A pattern is a name in which `*` stands for any run of characters. A list
 * matches when one of its patterns matches and no pattern with a leading `!` does: `["*", "!OBSERVATION"]` matches every name
 * but `OBSERVATION`. A list that holds only exclusions matches every other name.
 */
export interface Matcher {
  (name: string): boolean;
  /** The names that it matches at most, where the patterns name them all. */
  readonly exact?: readonly string[];
}

/** @returns a predicate that remembers its answers, since many signals share few names */
export function compilePatterns(patterns: readonly string[]): Matcher {
  const wanted = patterns.filter((pattern) => !pattern.startsWith("!"));
  const unwanted = patterns.filter((pattern) => pattern.startsWith("!")).map((pattern) => pattern.slice(1));
  if (patterns.length === 0 || (wanted.includes("*") && unwanted.length === 0)) return () => true;
  const any = wanted.length === 0;
  const answers = new Map<string, boolean>();
  const matcher = (name: string) => {
    const known = answers.get(name);
    if (known !== undefined) return known;
    const answer =
      (any || wanted.some((pattern) => globMatches(pattern, name))) &&
      !unwanted.some((pattern) => globMatches(pattern, name));
    // Names come from callers: without a bound, a caller who invents names would fill the memory.
    if (answers.size >= 1024) answers.clear();
    answers.set(name, answer);
    return answer;
  };
  return any || wanted.some((pattern) => pattern.includes("*")) ? matcher : Object.assign(matcher, { exact: wanted });
}

/**
 * Matches in time proportional to `pattern.length * name.length` at worst. A regular expression built from a caller's
 * pattern could back-track exponentially.
 */
export function globMatches(pattern: string, name: string): boolean {
  let p = 0;
  let n = 0;
  let star = -1;
  let resume = 0;
  while (n < name.length) {
    if (p < pattern.length && pattern[p] === "*") {
      star = p++;
      resume = n;
    } else if (p < pattern.length && pattern[p] === name[n]) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.length && pattern[p] === "*") p++;
  return p === pattern.length;
}
