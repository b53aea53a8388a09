import { eastAsianWidth } from "get-east-asian-width";

const ASCII = /^[\x20-\x7e]*$/;

/** Made for the first text that is not ASCII: that takes longer than all else that most calls of the command do. */
let unicode: ReturnType<typeof readUnicode> | undefined;
const ofUnicode = () => (unicode ??= readUnicode());
const readUnicode = () => ({
  emoji: /^\p{RGI_Emoji}$/v,
  /** Combining marks, joiners and other characters that take no place of their own. */
  withoutPlace: /^(?:\p{Default_Ignorable_Code_Point}|\p{Mn}|\p{Me}|\p{Cc}|\p{Cf})+$/v,
  segmenter: new Intl.Segmenter("en", { granularity: "grapheme" }),
});

const segmentsOf = (text: string) => ofUnicode().segmenter.segment(text);

/** How many columns of a terminal a text takes: a Chinese character and an emoji take two, a combining mark none. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmentsOf(text)) width += widthOfSegment(segment);
  return width;
}

function widthOfSegment(segment: string): number {
  const { emoji, withoutPlace } = ofUnicode();
  if (withoutPlace.test(segment)) return 0;
  if (emoji.test(segment)) return 2;
  return eastAsianWidth(segment.codePointAt(0) ?? 0x20);
}

/** A text that takes `width` columns at most; … stands for the rest. */
export function cutTo(text: string, width: number): string {
  if (ASCII.test(text)) return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
  if (widthOf(text) <= width) return text;
  let [kept, used] = ["", 0];
  for (const { segment } of segmentsOf(text)) {
    used += widthOfSegment(segment);
    if (used > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

export function padTo(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

/** Lines of at most `width` columns, broken at spaces where there are some. */
export function wrap(text: string, width: number): string[] {
  if (widthOf(text) <= width) return [text];
  const lines: string[] = [];
  let [line, used] = ["", 0];
  for (const word of text.split(" ")) {
    const wide = widthOf(word);
    if (used > 0 && used + 1 + wide > width) {
      lines.push(line);
      [line, used] = ["", 0];
    }
    if (used > 0) [line, used] = [`${line} `, used + 1];
    for (const { segment } of wide > width ? segmentsOf(word) : [{ segment: word }]) {
      const more = wide > width ? widthOfSegment(segment) : wide;
      if (used > 0 && used + more > width) {
        lines.push(line);
        [line, used] = ["", 0];
      }
      [line, used] = [line + segment, used + more];
    }
  }
  return [...lines, line];
}
