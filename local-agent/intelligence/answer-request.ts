import { join } from "node:path";
import * as z from "zod";
import { analysisOf } from "../../src/core/intelligence/analysis-of.ts";
import type { AnalysisAnswer, PatternsAnswer } from "../../src/core/intelligence/answer.ts";
import { LEAST_CONFIDENCE } from "../../src/core/intelligence/confidence.ts";
import { canonicalDomain } from "../../src/core/intelligence/domains.ts";
import { type FileFacts, type Language, languageOfPath, readLanguage } from "../../src/core/intelligence/file-facts.ts";
import { fitPatterns } from "../../src/core/intelligence/fit-answer.ts";
import { matchesPath } from "../../src/core/intelligence/name-pattern.ts";
import { nodeNameOf } from "../../src/core/intelligence/node-types.ts";
import type { Pattern } from "../../src/core/intelligence/pattern.ts";
import { patternOf } from "../../src/core/intelligence/pattern-of.ts";
import { type CodeRequest, OPERATIONS, readOperation } from "../../src/core/intelligence/request.ts";
import type { CodeIndex } from "./code-index.ts";
import { readWanted, type Wanted } from "./code-roots.ts";
import type { IndexStore } from "./index-store.ts";
import type { IndexedFile } from "./indexed-file.ts";
import { parseFile, Unparsable } from "./parsing/parse-file.ts";
import { MAX_FILE_BYTES, NotCode, readCodeFile } from "./read-code-file.ts";
import { RequestFailed } from "./request-failed.ts";

export interface Answerer {
  readonly index: CodeIndex;
  readonly store: IndexStore;
  readonly languages: ReadonlySet<Language>;
  readonly now: () => number;
}

/** An answer without what its host adds. */
export type HostAnswer = PatternsAnswer | AnalysisAnswer;

/** A stored pattern is our own JSON: only what is used here is looked at. */
const StoredPattern = z.looseObject({ file_path: z.string(), confidence: z.number() });

/** Answers a request from the index and from the files below the roots. @throws RequestFailed */
export async function answerRequest(request: CodeRequest, answerer: Answerer): Promise<HostAnswer> {
  const operation = readOperation(request.operation);
  if (operation === undefined)
    throw new RequestFailed(
      "INVALID_OPERATION",
      `${JSON.stringify(request.operation.slice(0, 100))} is no operation of this responder`,
      `Give one of ${OPERATIONS.join(", ")}.`,
    );
  const startMs = answerer.now();
  const answer =
    operation === "PATTERN_EXTRACTION" ? await extract(request, answerer) : await analyse(request, answerer);
  const processing_time_ms = answerer.now() - startMs;
  return { ...answer, operation_type: operation, processing_time_ms, cache_hit: false };
}

async function extract(request: CodeRequest, answerer: Answerer): Promise<PatternsAnswer> {
  const { content, sourcePath } = request;
  if (content !== undefined) {
    const facts = parsed(content, languageOf(request, sourcePath, answerer), sourcePath);
    const pattern = patternOf(facts, sourcePath, content, answerer.now());
    return { source_path: sourcePath, patterns: [pattern], total_count: 1, truncated: false };
  }
  const startMs = answerer.now();
  const { index, store } = answerer;
  const wanted = readWanted(sourcePath, index.namedRoots);
  const matching = [...index.files].filter((file) => isWanted(file, wanted, request));
  const least = request.threshold;
  const good = matching
    .filter(
      ({ confidence }) =>
        confidence !== null && (least === undefined ? confidence > LEAST_CONFIDENCE : confidence >= least),
    )
    .toSorted(
      (a, b) => (b.confidence ?? 0) - (a.confidence ?? 0) || compare(a.path, b.path) || compare(a.root, b.root),
    );
  const page = good.slice(request.offset, request.offset + request.limit);
  const found = page.flatMap((file) => storedPattern(file, store, request));
  const { patterns, truncated } = fitPatterns(found);
  return {
    source_path: sourcePath,
    patterns: [...patterns],
    total_count: good.length,
    query_time_ms: answerer.now() - startMs,
    searched: {
      roots: index.roots.length,
      files_seen: index.size,
      files_matched: matching.length,
      files_failed: matching.filter(({ error }) => error !== null).length,
      // While the roots are still being read, there may be more.
      complete: index.settled,
    },
    truncated: truncated || request.offset + page.length < good.length,
  };
}

function isWanted({ root, path }: IndexedFile, wanted: Wanted, { domain, language }: CodeRequest): boolean {
  if (wanted.root !== undefined && wanted.root !== root) return false;
  if (language !== undefined && languageOfPath(path) !== readLanguage(language)) return false;
  const named = wanted.isPattern
    ? matchesPath(wanted.pattern, path)
    : path === wanted.pattern || path.startsWith(`${wanted.pattern}/`) || path.endsWith(`/${wanted.pattern}`);
  return named && (domain === undefined || isOfDomain(path, domain));
}

function isOfDomain(path: string, domain: string): boolean {
  const own = nodeNameOf(path.slice(path.lastIndexOf("/") + 1)).domain;
  if (own === undefined) return false;
  const wanted = canonicalDomain(domain);
  return canonicalDomain(own) === wanted || own.includes(wanted);
}

function storedPattern(file: IndexedFile, store: IndexStore, { withMetrics }: CodeRequest): Pattern[] {
  const text = store.pattern(file.root, file.path);
  if (text === undefined) return [];
  const pattern: Pattern = StoredPattern.parse(JSON.parse(text));
  return [{ ...pattern, file_path: join(file.root, file.path), ...(!withMetrics && { metrics: null }) }];
}

async function analyse(request: CodeRequest, answerer: Answerer): Promise<AnalysisAnswer> {
  const { content, sourcePath, withPatterns } = request;
  const file = content === undefined ? await readWantedFile(request, answerer) : { text: content, at: sourcePath };
  const { patterns, ...answer } = analysisOf(
    parsed(file.text, languageOf(request, file.at, answerer), file.at),
    file.at,
  );
  return { ...answer, source_path: sourcePath, ...(withPatterns && { patterns }) };
}

/** The one file that a path or pattern means. */
async function readWantedFile(request: CodeRequest, { index }: Answerer): Promise<{ text: string; at: string }> {
  const wanted = readWanted(request.sourcePath, index.namedRoots);
  const matching = [...index.files].filter((file) => isWanted(file, wanted, request));
  const [file] = matching;
  if (file === undefined && !index.settled)
    throw new RequestFailed("BACKEND_UNAVAILABLE", "the code roots are still being read", "Try again in a second.");
  if (file === undefined)
    throw new RequestFailed(
      "INVALID_INPUT",
      `no file below the code roots is ${JSON.stringify(request.sourcePath)}`,
      "Give the path of a file below a code root, or the code itself as content.",
    );
  if (matching.length > 1)
    throw new RequestFailed(
      "INVALID_INPUT",
      `source_path means ${matching.length} files, and an analysis is about one`,
      "Give the whole path of one file.",
    );
  const root = index.roots.find(({ path }) => path === file.root);
  if (root === undefined) throw new RequestFailed("BACKEND_UNAVAILABLE", "the code root is not there");
  try {
    return { text: (await readCodeFile(root.real, join(root.real, file.path))).text, at: file.path };
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof NotCode) throw new RequestFailed("INVALID_INPUT", `${file.path} is not read: ${message}`);
    throw new RequestFailed("EXTERNAL_SERVICE_ERROR", `${file.path} cannot be read`);
  }
}

function languageOf({ language }: CodeRequest, path: string, { languages }: Answerer): Language {
  const read = language === undefined ? languageOfPath(path) : readLanguage(language);
  if (read !== undefined && languages.has(read)) return read;
  throw new RequestFailed(
    "UNSUPPORTED_LANGUAGE",
    language === undefined
      ? "the language is not given, and source_path does not tell it"
      : `${JSON.stringify(language.slice(0, 50))} is not read here`,
    `Give one of ${[...languages].join(", ")} as language.`,
  );
}

function parsed(text: string, language: Language, path: string): FileFacts {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES)
    throw new RequestFailed("INVALID_INPUT", `content is larger than ${MAX_FILE_BYTES} bytes`, "Send a part of it.");
  try {
    return parseFile(text, language, path);
  } catch (error) {
    if (!(error instanceof Unparsable)) throw error;
    const { message, line, column } = error;
    throw new RequestFailed(
      "PARSING_ERROR",
      `the code cannot be parsed: ${message}`,
      "Correct the code, or give its language.",
      {
        line,
        column,
      },
    );
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
