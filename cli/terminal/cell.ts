/** Names come from anywhere: characters that could control the terminal, or turn its text around, are printed as escapes. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

export function cellText(value: unknown): string {
  if (value === undefined || value === null || value === "") return "-";
  return withoutControl(typeof value === "string" ? value : JSON.stringify(value));
}

/** @param kept - characters of our own, such as the line breaks of a text of several lines */
export function withoutControl(text: string, kept = ""): string {
  return text.replace(CONTROL, (char) =>
    kept.includes(char) ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
