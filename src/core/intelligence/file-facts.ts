/** What the parsers find in a file of any language. All of it is read from the syntax tree; nothing is guessed. */
export interface FileFacts {
  readonly language: Language;
  /** First line of the text that describes the file. */
  readonly documentation: string | undefined;
  readonly imports: readonly string[];
  readonly classes: readonly ClassFacts[];
  /** Functions outside of classes. */
  readonly functions: readonly CallableFacts[];
  readonly errorHandling: ErrorHandling;
  /** Names by which the file opens, commits or rolls back transactions. */
  readonly transactions: readonly string[];
  /** Names by which the file counts or measures. */
  readonly metrics: readonly string[];
  readonly figures: Figures;
  readonly issues: readonly Issue[];
}

export const LANGUAGES = ["python", "typescript", "javascript"] as const;
export type Language = (typeof LANGUAGES)[number];

export interface ClassFacts {
  readonly name: string;
  readonly bases: readonly string[];
  readonly decorators: readonly string[];
  readonly documentation: string | undefined;
  readonly methods: readonly CallableFacts[];
  readonly line: number;
}

export interface CallableFacts {
  readonly name: string;
  /** `execute(self, request: Request) -> Result`. */
  readonly signature: string;
  readonly async: boolean;
  readonly decorators: readonly string[];
  readonly documented: boolean;
  readonly line: number;
  readonly lines: number;
  readonly cyclomatic: number;
  readonly cognitive: number;
}

export interface ErrorHandling {
  readonly tries: number;
  /** Kinds of errors that are caught by name. */
  readonly caught: readonly string[];
  /** Handlers that catch everything without a name. */
  readonly bare: number;
  readonly raises: number;
  readonly finally: number;
}

export interface Figures {
  readonly totalLines: number;
  readonly codeLines: number;
  readonly cyclomatic: number;
  readonly cognitive: number;
  readonly maxNesting: number;
  /** Operators and operands, as Halstead counts them. */
  readonly tokens: number;
  readonly distinctTokens: number;
}

export interface Issue {
  /** Stable name, such as `bare-except`. */
  readonly rule: string;
  readonly kind: "anti_pattern" | "security";
  readonly message: string;
  readonly line: number;
}

/** The language by a file's extension. */
const EXTENSIONS: Readonly<Record<string, Language>> = {
  py: "python",
  pyi: "python",
  ts: "typescript",
  tsx: "typescript",
  mts: "typescript",
  cts: "typescript",
  js: "javascript",
  jsx: "javascript",
  mjs: "javascript",
  cjs: "javascript",
};

/** @returns `undefined` for a file in a language that is not read */
export function languageOfPath(path: string): Language | undefined {
  const extension = /\.([a-z]+)$/.exec(path.toLowerCase())?.[1];
  return extension === undefined ? undefined : EXTENSIONS[extension];
}

/** Reads the name of a language as people write it. @returns `undefined` for one that is not read */
export function readLanguage(text: string): Language | undefined {
  const lower = text.trim().toLowerCase();
  return LANGUAGES.find((language) => language === lower) ?? EXTENSIONS[lower];
}
