/** Longest pattern or path of a request, in characters. */
export const MAX_SOURCE_PATH = 1_024;

/** Whether a text holds characters that stand for others. */
export const isNamePattern = (text: string): boolean => /[*?]/.test(text);

/**
 * Whether a text matches a pattern in which `*` stands for any characters and `?` for one. Goes back to the last `*` alone,
 * so the time grows with the product of the lengths and never exponentially.
 */
export function matchesName(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let afterStar = 0;
  let from = 0;
  for (let index = 0; index < text.length; ) {
    const wanted = pattern[at];
    if (wanted === "*") {
      star = at;
      at += 1;
      afterStar = at;
      from = index;
    } else if (wanted !== undefined && (wanted === "?" || wanted === text[index])) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      from += 1;
      index = from;
      at = afterStar;
    } else return false;
  }
  while (pattern[at] === "*") at += 1;
  return at === pattern.length;
}

/**
 * Whether a file is one that a pattern means. A pattern without a slash is about the file's name; any other one is about
 * the path below the root, of which it may name the end.
 */
export function matchesPath(pattern: string, path: string): boolean {
  if (!pattern.includes("/")) return matchesName(pattern, path.slice(path.lastIndexOf("/") + 1));
  return matchesName(pattern, path) || matchesName(`*/${pattern}`, path);
}
