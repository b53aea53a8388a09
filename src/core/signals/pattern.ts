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

/** Whether a list of patterns matches one name; who asks about many names uses {@link compilePatterns}. */
export function patternsMatch(patterns: readonly string[], name: string): boolean {
  let [any, found] = [true, false];
  for (const pattern of patterns) {
    if (pattern.startsWith("!")) {
      if (globMatches(pattern.slice(1), name)) return false;
    } else {
      any = false;
      found ||= globMatches(pattern, name);
    }
  }
  return any || found;
}

/** @returns a predicate that remembers its answers, since many signals share few names */
export function compilePatterns(patterns: readonly string[]): Matcher {
  const wanted = patterns.filter((pattern) => !pattern.startsWith("!"));
  if (patterns.length === 0 || (wanted.includes("*") && wanted.length === patterns.length)) return () => true;
  const answers = new Map<string, boolean>();
  const matcher = (name: string) => {
    const known = answers.get(name);
    if (known !== undefined) return known;
    const answer = patternsMatch(patterns, name);
    // Names come from callers: without a bound, a caller who invents names would fill the memory.
    if (answers.size >= 1024) answers.clear();
    answers.set(name, answer);
    return answer;
  };
  const named = wanted.length > 0 && !wanted.some((pattern) => pattern.includes("*"));
  return named ? Object.assign(matcher, { exact: wanted }) : matcher;
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
