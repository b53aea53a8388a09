/** Cuts a text to a number of UTF-16 units, never inside a character. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const end = max - 1;
  const within = /[\ud800-\udbff]/.test(text[end - 1] ?? "") ? end - 1 : end;
  return `${text.slice(0, within)}…`;
}

/** Splits a text into parts of at most `max` UTF-16 units, at line ends where there are some; the last part is cut. */
export function split(text: string, max: number, parts: number): string[] {
  const found: string[] = [];
  let rest = text;
  while (rest.length > max && found.length < parts - 1) {
    const line = rest.lastIndexOf("\n", max);
    let end = line > max / 2 ? line : max;
    if (/[\ud800-\udbff]/.test(rest[end - 1] ?? "")) end--;
    found.push(rest.slice(0, end));
    rest = rest.slice(end).replace(/^\n/, "");
  }
  if (rest !== "") found.push(cut(rest, max));
  return found;
}

/** Makes a text mean itself where Markdown is read. */
export const withoutMarkdown = (text: string): string => text.replace(/[\\*_~`|>#[\]()]/g, "\\$&");

/** {@link withoutMarkdown} of as much of the text as fits. */
export function plainIn(text: string, max: number): string {
  const whole = withoutMarkdown(text);
  if (whole.length <= max) return whole;
  // Half of an escape would take the character behind it away.
  return cut(whole, max).replace(/(?<!\\)((?:\\\\)*)\\…$/, "$1…");
}
