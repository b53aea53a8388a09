import type { Topic } from "./topics.ts";

/** A topic as plain text. @param width - of the lines, in characters */
export function topicText({ name, summary, parts }: Topic, width: number): string {
  const body = parts.map((part) => (typeof part === "string" ? wrap(part, width).join("\n") : listText(part, width)));
  return [`${name}: ${summary}`, ...body].join("\n\n");
}

function listText(list: readonly (readonly [term: string, meaning: string])[], width: number): string {
  const widest = Math.max(...list.map(([term]) => term.length));
  // Where a term is long, its meaning stands below it.
  const indent = widest > 24 ? 6 : widest + 4;
  return list
    .map(([term, meaning]) => {
      const lines = wrap(meaning, Math.max(20, width - indent)).map((line) => " ".repeat(indent) + line);
      return widest > 24
        ? [`  ${term}`, ...lines].join("\n")
        : `  ${term}`.padEnd(indent) + lines.join("\n").slice(indent);
    })
    .join("\n");
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
