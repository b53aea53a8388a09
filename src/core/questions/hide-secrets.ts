/** What stands where a secret stood. */
export const HIDDEN = "[hidden]";

/** Longer texts are cut before they are searched: the time that a search takes is bounded. */
const MAX_SEARCHED = 16_384;

const NAMES =
  "password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|authorization|auth";

/** In quotes with its spaces, in escaped quotes, or a word. */
const VALUE = String.raw`\\"[^"\\]{1,500}|"[^"\n]{1,500}"|'[^'\n]{1,500}'|[^\s"'\\,;&]{3,}`;

/**
 * Each pattern has a bound on what it repeats, or repeats one class of characters: none goes back over what it has read. The
 * first group, where there is one, is no secret and stays.
 */
const PATTERNS: readonly RegExp[] = [
  // A block of a private key, whose end may have been cut off.
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[^-]*(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----)?/g,
  // `Authorization: Basic …`, `Bearer …`
  /\b((?:bearer|basic)\s{1,4})[A-Za-z0-9._~+/=-]{6,}/gi,
  // https://user:password@host
  /(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s:@/]{0,100}:)[^\s@/]{1,200}(?=@)/gi,
  // PASSWORD=…, "api_key": "…", in JSON that stands in JSON, too
  new RegExp(String.raw`((?:${NAMES})[A-Za-z0-9_]{0,20}(?:\\?["'])?\s{0,4}[=:]\s{0,4})(?:${VALUE})`, "gi"),
  // --token …
  new RegExp(String.raw`(--?(?:[A-Za-z0-9]{1,20}-){0,3}(?:${NAMES})(?:-[A-Za-z0-9]{1,20})?\s{1,4})(?:${VALUE})`, "gi"),
  // Keys that are known by their beginning: of this edge, of GitHub, GitLab, Slack, AWS, Google, npm and of model providers.
  /\b(?:gng_|gh[opsur]_|github_pat_|glpat-|xox[abeoprs]-|sk-|pk-|rk_|npm_|AKIA|ASIA|AIza|ya29\.|hf_)[A-Za-z0-9_./+=-]{8,}/g,
  // JSON Web Tokens
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?/g,
];

/**
 * Takes the secrets out of a text that people read, as far as they are known by their form: who reads a question needs none
 * of them. A secret in a form of its own is not recognised, so a text should be short, too.
 *
 * @param maxChars - what is longer is cut, and ends in `…`
 */
export function withoutSecrets(text: string, maxChars: number): string {
  let shown = text.slice(0, MAX_SEARCHED);
  for (const pattern of PATTERNS)
    shown = shown.replace(
      pattern,
      (_whole: string, kept: unknown) => `${typeof kept === "string" ? kept : ""}${HIDDEN}`,
    );
  return shown.length > maxChars || text.length > MAX_SEARCHED ? `${shown.slice(0, maxChars - 1)}…` : shown;
}
