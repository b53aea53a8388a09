import type { SyntaxNode, SyntaxNodeRef } from "@lezer/common";

/** The text of a file that is parsed, and where its lines begin. */
export class Source {
  readonly text: string;
  readonly #starts: readonly number[];

  constructor(text: string) {
    this.text = text;
    const starts = [0];
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
    this.#starts = starts;
  }

  /** @param node - a node, or its place */
  of({ from, to }: { readonly from: number; readonly to: number }): string {
    return this.text.slice(from, to);
  }

  /** Number of the line at a place, from 1. */
  lineAt(place: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= place) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }

  /** Column of a place in its line, from 1. */
  columnAt(place: number): number {
    return place - (this.#starts[this.lineAt(place) - 1] ?? 0) + 1;
  }

  /** Lines, without an empty one at the end. */
  get lines(): number {
    return this.text === "" ? 0 : this.#starts.length - (this.text.endsWith("\n") ? 1 : 0);
  }

  /** Lines that hold more than white space. */
  get filledLines(): number {
    let filled = 0;
    for (const [index, start] of this.#starts.entries()) {
      const end = this.#starts[index + 1] ?? this.text.length;
      if (/\S/.test(this.text.slice(start, end))) filled += 1;
    }
    return filled;
  }
}

export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
}

/** One line, without needless white space. */
export const oneLine = (text: string, longest = 300): string => text.replace(/\s+/g, " ").trim().slice(0, longest);

/** First paragraph of a description, as one line. */
export function summaryOf(text: string): string | undefined {
  const [paragraph = ""] = text.trim().split(/\n\s*\n/);
  return oneLine(paragraph) || undefined;
}

export type { SyntaxNode, SyntaxNodeRef };
