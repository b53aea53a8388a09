import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import { type Document, isMap, LineCounter, parseAllDocuments, visit } from "yaml";
import { changedByYaml } from "../../../src/core/json/yaml-number.ts";
import type { FieldError } from "../../../src/core/problem/field-error.ts";
import { describeMalformedJson } from "../../../src/core/problem/malformed-json.ts";
import { Failure, UsageError } from "../../failure.ts";
import { fileTrouble } from "../../file-trouble.ts";

/** A file as data, with the place of each value in the file. */
export interface ReadDocument {
  readonly file: string;
  readonly value: unknown;
  /** `file:line:column` of the value at a JSON pointer, or, where it is missing, of the value that should hold it. */
  place(pointer: string): string;
}

/**
 * Reads a file of one document, in YAML 1.2, of which JSON is a part.
 *
 * @throws UsageError where the file does not exist, Failure where it cannot be read
 */
export async function readDocument(file: string): Promise<ReadDocument> {
  const [document, second] = await readDocuments(file);
  if (document === undefined || second !== undefined) {
    throw new Failure(`${second?.place("") ?? file}: the file must hold one document`);
  }
  return document;
}

/**
 * Reads a file of one or more documents. `-` is the standard input.
 *
 * @throws as {@link readDocument}
 */
export async function readDocuments(file: string): Promise<ReadDocument[]> {
  const text = await readText(file);
  const lines = new LineCounter();
  const parsed = parse(text, lines, file);
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file === "-" ? "standard input" : file}:${line}:${col}`;
  };
  const documents = "empty" in parsed ? [] : parsed;
  for (const { errors } of documents) {
    const [error] = errors;
    if (error === undefined) continue;
    const json = file.endsWith(".json") ? describeMalformedJson(text) : undefined;
    throw new Failure(`${at(error.pos[0])}: ${json ?? error.message}`);
  }
  for (const document of documents) {
    visit(document, {
      Scalar: (_, { value, source, range }) => {
        if (changedByYaml(value, source))
          throw new Failure(`${at(range?.[0] ?? 0)}: JSON readers would change this number: put it in quotes`);
      },
    });
  }
  return documents.map((document) => ({
    file,
    // Throws when aliases refer to each other beyond the library's limit; such a file would fill the memory.
    value: contentOf(document, at),
    place: (pointer) => {
      let node: unknown = document.contents;
      let offset = startOf(node) ?? 0;
      for (const step of stepsOf(pointer)) {
        const next = isMap(node)
          ? node.items.find(({ key }) => String((key as { value?: unknown } | null)?.value ?? key) === step)
          : undefined;
        // The place of a field is that of its name.
        if (next !== undefined) {
          offset = startOf(next.key) ?? offset;
          node = next.value;
        } else {
          node = document.contents === null ? undefined : itemOf(node, step);
          if (node === undefined) break;
          offset = startOf(node) ?? offset;
        }
      }
      return at(offset);
    },
  }));
}

function parse(text: string, lineCounter: LineCounter, file: string): ReturnType<typeof parseAllDocuments> {
  try {
    return parseAllDocuments(text, { lineCounter, prettyErrors: false, uniqueKeys: true });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Failure(`${file}: nested too deeply: flatten the document`);
  }
}

function contentOf(document: Document, at: (offset: number) => string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new Failure(`${at(startOf(document.contents) ?? 0)}: ${error instanceof Error ? error.message : error}`);
  }
}

/** One line for each error, with its place. */
export function describeErrors(document: ReadDocument, errors: readonly FieldError[]): string {
  return errors
    .map(({ pointer, message }) => `${document.place(pointer)}: ${pointer === "" ? "" : `${pointer}: `}${message}`)
    .join("\n");
}

async function readText(file: string): Promise<string> {
  try {
    // As a stream: a synchronous read of a standard input that has nothing to give yet fails (EAGAIN).
    return await (file === "-" ? readAll(process.stdin) : readFile(file, "utf8"));
  } catch (error) {
    throw new UsageError(fileTrouble(file, error));
  }
}

function startOf(node: unknown): number | undefined {
  return (node as { range?: readonly number[] | null } | null | undefined)?.range?.[0];
}

function itemOf(node: unknown, step: string): unknown {
  const { items } = (node ?? {}) as { items?: readonly unknown[] };
  return /^\d+$/.test(step) ? items?.[Number(step)] : undefined;
}

function stepsOf(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}
