import type { Parser, Tree } from "@lezer/common";
import type { FileFacts, Language } from "../../../src/core/intelligence/file-facts.ts";
import type { BranchNames } from "./complexity.ts";
import { FactsBuilder } from "./facts-builder.ts";
import { enterPython, PYTHON_BRANCHES, PYTHON_PARSER } from "./python.ts";
import { enterScript, JAVASCRIPT_PARSER, SCRIPT_BRANCHES, TYPESCRIPT_JSX_PARSER, TYPESCRIPT_PARSER } from "./script.ts";
import { Source, type SyntaxNodeRef } from "./source.ts";

/** A file that cannot be parsed, and the first place that does not fit the grammar. */
export class Unparsable extends Error {
  override readonly name = "Unparsable";
  readonly line: number;
  readonly column: number;

  constructor(message: string, line: number, column: number) {
    super(message);
    this.line = line;
    this.column = column;
  }
}

interface Grammar {
  readonly parser: Parser;
  readonly branches: BranchNames;
  readonly enter: (node: SyntaxNodeRef, facts: FactsBuilder) => boolean;
}

const python: Grammar = { parser: PYTHON_PARSER, branches: PYTHON_BRANCHES, enter: enterPython };
const script = (parser: Parser): Grammar => ({ parser, branches: SCRIPT_BRANCHES, enter: enterScript });
const typescript = script(TYPESCRIPT_PARSER);
const typescriptJsx = script(TYPESCRIPT_JSX_PARSER);
const javascript = script(JAVASCRIPT_PARSER);

/** Longest time for one file. The largest that is read takes a second. */
const LIMIT_MS = 10_000;

/**
 * Parses a file and reads from its syntax tree what it holds.
 *
 * @param path - its extension tells the dialect
 * @param now - a clock, for the time limit
 * @throws Unparsable
 */
export function parseFile(text: string, language: Language, path = "", now: () => number = Date.now): FileFacts {
  const grammar = grammarOf(language, path);
  // A form feed between functions is white space that the grammar does not know.
  const source = new Source((text.startsWith("\uFEFF") ? text.slice(1) : text).replaceAll("\f", " "));
  const tree = treeOf(grammar.parser, source.text, now);
  const facts = new FactsBuilder(source, language, grammar.branches);
  /** For each node that the walk is inside of: whether it opened a class or function, and whether it has children. */
  const inside: { readonly opened: boolean; leaf: boolean }[] = [];
  tree.iterate({
    enter(node) {
      if (node.type.isError && !isBareYield(source, node)) {
        const line = source.lineAt(node.from);
        throw new Unparsable(`line ${line} does not fit the grammar`, line, source.columnAt(node.from));
      }
      const outer = inside.at(-1);
      if (outer !== undefined) outer.leaf = false;
      const opened = grammar.enter(node, facts);
      if (!opened) facts.enter(node);
      inside.push({ opened, leaf: true });
    },
    leave(node) {
      const left = inside.pop();
      if (left?.leaf === true && node.to > node.from) facts.token(source.of(node));
      if (left?.opened === true) facts.close(node.to);
      else facts.leave(node);
    },
  });
  return facts.finish();
}

/** The grammar of Python wants a value behind every `yield`; without one it goes on as if it had found one. */
function isBareYield(source: Source, { from, to }: SyntaxNodeRef): boolean {
  return from === to && /\byield[ \t]*$/.test(source.text.slice(Math.max(0, from - 20), from));
}

function grammarOf(language: Language, path: string): Grammar {
  switch (language) {
    case "python":
      return python;
    case "typescript":
      return /\.[a-z]?sx$/i.test(path) ? typescriptJsx : typescript;
    case "javascript":
      return javascript;
  }
}

/** Parses step by step, so that a time limit can end it. */
function treeOf(parser: Parser, text: string, now: () => number): Tree {
  const startMs = now();
  try {
    const parse = parser.startParse(text);
    for (let steps = 1; ; steps++) {
      const tree = parse.advance();
      if (tree !== null) return tree;
      if (steps % 1_024 === 0 && now() - startMs > LIMIT_MS) throw new Unparsable("parsing takes too long", 1, 1);
    }
  } catch (error) {
    if (error instanceof RangeError) throw new Unparsable("it is nested too deeply", 1, 1);
    throw error;
  }
}
