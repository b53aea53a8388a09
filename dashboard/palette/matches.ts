/** Something that the palette opens. */
export interface Entry {
  readonly kind: string;
  readonly title: string;
  readonly href: string;
  /** Said beside the title. */
  readonly hint?: string | undefined;
}

const MAX_SHOWN = 40;

/**
 * The entries whose title holds all letters of what was typed, in order; the best first: those that begin so, then those
 * that hold the text as a whole.
 */
export function matches(entries: readonly Entry[], typed: string): Entry[] {
  const wanted = typed.trim().toLowerCase();
  if (wanted === "") return entries.slice(0, MAX_SHOWN);
  return entries
    .map((entry, place) => ({ entry, place, score: scoreOf(`${entry.title} ${entry.kind}`.toLowerCase(), wanted) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.place - b.place)
    .slice(0, MAX_SHOWN)
    .map(({ entry }) => entry);
}

function scoreOf(text: string, wanted: string): number {
  if (text.startsWith(wanted)) return 4;
  const at = text.indexOf(wanted);
  if (at > 0) return /[\s/_.:-]/.test(text[at - 1] ?? "") ? 3 : 2;
  let place = 0;
  for (const letter of wanted) {
    place = text.indexOf(letter, place) + 1;
    if (place === 0) return 0;
  }
  return 1;
}
