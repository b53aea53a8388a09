export type Tone = "bad" | "warning" | "good" | "quiet" | "heading";

const CODES: Readonly<Record<Tone, readonly [on: number, off: number]>> = {
  bad: [31, 39],
  warning: [33, 39],
  good: [32, 39],
  quiet: [2, 22],
  heading: [1, 22],
};

/** Words of states, by what they mean to somebody who looks for trouble. */
const TONES: Readonly<Record<string, Tone>> = {
  ...tones(
    "bad",
    "critical down failed dead open lost broken expired stuck quarantined crashed given-up refused error",
  ),
  ...tones(
    "warning",
    "warning degraded stale overdue waiting half_open paused backoff suppressed late retrying unknown",
  ),
  ...tones("good", "up ok ready healthy complete completed delivered working running fired resolved done yes"),
  ...tones("quiet", "disabled stopped off no cancelled skipped info"),
};

function tones(tone: Tone, words: string): Record<string, Tone> {
  return Object.fromEntries(words.split(" ").map((word) => [word, tone]));
}

/** The tone of a state by its first word, such as that of `down (link_lost)`. */
export function toneOf(state: string): Tone | undefined {
  const [word = ""] = state.toLowerCase().split(/[ (:,]/);
  return Object.hasOwn(TONES, word) ? TONES[word] : undefined;
}

export function paint(text: string, tone: Tone | undefined): string {
  if (tone === undefined || text === "") return text;
  const [on, off] = CODES[tone];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}

/** FORCE_COLOR decides first, then NO_COLOR (no-color.org); without them only a terminal is sent colours. */
export function wantsColour(isTerminal: boolean, environment: Readonly<Record<string, string | undefined>>): boolean {
  const { FORCE_COLOR: force, NO_COLOR: none, TERM } = environment;
  if (force !== undefined && force !== "") return force !== "0" && force !== "false";
  if (none !== undefined && none !== "") return false;
  return isTerminal && TERM !== "dumb";
}
