import { readFileSync } from "node:fs";
import { type Document, isAlias, isMap, isNode, isSeq, LineCounter, parseDocument, visit } from "yaml";
import { changedByYaml } from "../../src/core/json/yaml-number.ts";
import { ExpectedError } from "../base/service.ts";
import type { Problem, SettingsFinding } from "./problems.ts";

/** A larger file is not a file of settings. */
const MAX_BYTES = 1024 * 1024;

/** A YAML document that keeps the position of each value in the text. */
export class YamlFile {
  readonly path: string;
  /** Problems of the text itself. With errors, `value` is an empty document. */
  readonly problems: readonly Problem[];
  readonly value: unknown;
  readonly #document: Document.Parsed;
  readonly #lines = new LineCounter();

  constructor(path: string, text: string) {
    this.path = path;
    this.#document = parse(path, text, this.#lines);
    const problems = [...this.#document.errors, ...this.#document.warnings].map((error) => ({
      severity: error.name === "YAMLWarning" ? ("warning" as const) : ("error" as const),
      where: "YAML",
      message: error.message.split("\n")[0] ?? error.code,
      file: path,
      ...this.#at(error.pos[0]),
    }));
    this.problems = [...problems, ...this.#changedNumbers()];
    this.value = this.#document.errors.length > 0 ? {} : this.#document.toJS();
  }

  /** @throws ExpectedError when the file cannot be read */
  static read(path: string): YamlFile {
    try {
      const text = readFileSync(path, "utf8");
      if (text.length > MAX_BYTES)
        throw new ExpectedError(`The configuration ${path} has more than ${MAX_BYTES} bytes: is it the right file?`);
      return new YamlFile(path, text);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      const fix = code === "ENOENT" ? "the file does not exist" : `make it readable for this user (${code})`;
      throw new ExpectedError(
        `The configuration ${path} cannot be read: ${fix}. It is named by --config or GANGLION_CONFIG`,
      );
    }
  }

  /** Numbers that are not what the text says. An id of 19 digits would name another thing. */
  #changedNumbers(): Problem[] {
    const found: Problem[] = [];
    visit(this.#document, {
      Scalar: (_, { value, source, range }) => {
        if (!changedByYaml(value, source)) return;
        const message = "this number would become another one: put it in quotes";
        found.push({ severity: "error", where: "YAML", message, file: this.path, ...this.#at(range?.[0] ?? 0) });
      },
    });
    return found;
  }

  /** The problem with its position in the text; for a missing value, the position of the nearest value above it. */
  problem({ path, key, message }: SettingsFinding): Problem {
    const where = [...path, ...(key === undefined ? [] : [key])].join(".");
    return { severity: "error", where, message, file: this.path, ...this.#place(path, key) };
  }

  #place(path: readonly (string | number)[], key: string | undefined): { line: number; column: number } {
    let node: unknown = this.#document.contents;
    let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    for (const step of key === undefined ? path : [...path, key]) {
      if (isAlias(node)) node = node.resolve(this.#document);
      if (isMap(node)) {
        const pair = node.items.find((item) => String(item.key) === String(step));
        if (pair === undefined) break;
        if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
        node = pair.value;
      } else if (isSeq(node)) {
        node = node.items[Number(step)];
        if (isNode(node)) offset = node.range?.[0] ?? offset;
      } else break;
    }
    return this.#at(offset);
  }

  #at(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

/** @throws ExpectedError for a text that is nested beyond what can be read */
function parse(path: string, text: string, lineCounter: LineCounter): Document.Parsed {
  try {
    // Without excerpts of the text, which could show secrets.
    return parseDocument(text, { prettyErrors: false, lineCounter });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ExpectedError(`The configuration ${path} is nested too deeply: is it the right file?`);
  }
}
