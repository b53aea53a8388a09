import { posix } from "node:path";
import { parseSync } from "oxc-parser";

/** What the rules of this folder read in one source file. */
export interface SourceFile {
  /** From the root of the repository, with slashes. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  readonly classes: readonly { readonly name: string; readonly lines: number }[];
  /** Names of the methods of its classes. */
  readonly methods: readonly string[];
  /** `JSON.parse(…) as T`, `const x: T = JSON.parse(…)` and `… as unknown as T`, by line. */
  readonly casts: readonly Finding[];
  /** Uses of the clock, of chance, of the network and of the process, by line. */
  readonly impure: readonly Finding[];
  /** Object literals that are spread into an object literal, by line. */
  readonly spreads: readonly Finding[];
  /** Calls that find or make the id of an object, by line. */
  readonly objectIds: readonly Finding[];
  /** Uses of the console, by line. */
  readonly consoles: readonly Finding[];
}

export interface Import {
  readonly specifier: string;
  /** Path of the imported file; `undefined` for a package. */
  readonly target: string | undefined;
  /** Names in `import { … }`; `*` for a namespace, `default` for a default import. */
  readonly names: readonly string[];
}

export interface Finding {
  readonly line: number;
  readonly text: string;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** Reads one file. Imports that stand for types alone are imports: a circle of types is a circle for its reader. */
export function readSource(path: string, text: string): SourceFile {
  const lineAt = (offset: number) => text.slice(0, offset).split("\n").length;
  const imports: Import[] = [];
  const classes: { name: string; lines: number }[] = [];
  const methods: string[] = [];
  const casts: Finding[] = [];
  const impure: Finding[] = [];
  const spreads: Finding[] = [];
  const objectIds: Finding[] = [];
  const consoles: Finding[] = [];
  const found = (list: Finding[], node: Node) => {
    const [first = ""] = text.slice(node.start, node.end).split("\n");
    list.push({ line: lineAt(node.start), text: first });
  };

  for (const node of nodesOf(parse(path, text))) {
    const specifier = importedBy(node);
    if (specifier !== undefined) imports.push({ specifier, target: resolve(path, specifier), names: namesIn(node) });
    if (node.type === "ClassDeclaration" || node.type === "ClassExpression")
      classes.push({ name: nameOf(node.id) ?? "", lines: lineAt(node.end) - lineAt(node.start) + 1 });
    if (node.type === "MethodDefinition") methods.push(nameOf(node.key) ?? "");
    if (isCast(node)) found(casts, node);
    if (isImpure(node)) found(impure, node);
    if (node.type === "SpreadElement" && isObjectLiteral(node.argument)) found(spreads, node);
    if (isObjectId(node)) found(objectIds, node);
    if (isConsole(node)) found(consoles, node);
  }
  const lines = text.split("\n").length - 1;
  return { path, lines, imports, classes, methods, casts, impure, spreads, objectIds, consoles };
}

function parse(path: string, text: string): Node {
  const { program, errors }: { program: unknown; errors: readonly { message: string }[] } = parseSync(path, text);
  if (errors.length > 0 || !isNode(program)) throw new Error(`${path} does not parse: ${errors[0]?.message}`);
  return program;
}

function* nodesOf(node: Node): Generator<Node> {
  yield node;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) yield* nodesOf(child);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

const IMPORTING = new Set([
  "ImportDeclaration",
  "ExportNamedDeclaration",
  "ExportAllDeclaration",
  "ImportExpression",
  "TSImportType",
]);

function importedBy(node: Node): string | undefined {
  if (!IMPORTING.has(node.type) || !isNode(node.source)) return undefined;
  return typeof node.source.value === "string" ? node.source.value : undefined;
}

function namesIn({ specifiers }: Node): string[] {
  if (!Array.isArray(specifiers)) return [];
  return (specifiers as Node[]).map((each) => {
    if (each.type === "ImportNamespaceSpecifier") return "*";
    if (each.type === "ImportDefaultSpecifier") return "default";
    return nameOf(each.imported ?? each.local) ?? "";
  });
}

function resolve(from: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? posix.join(posix.dirname(from), specifier) : undefined;
}

function nameOf(node: unknown): string | undefined {
  return isNode(node) && typeof node.name === "string" ? node.name : undefined;
}

/** `object.property`, where both are plain names. */
function memberName(node: unknown): string | undefined {
  if (!isNode(node) || node.type !== "MemberExpression" || node.computed === true) return undefined;
  const [object, property] = [nameOf(node.object), nameOf(node.property)];
  return object !== undefined && property !== undefined ? `${object}.${property}` : undefined;
}

function isCast(node: Node): boolean {
  if (node.type === "VariableDeclarator") {
    const annotation = isNode(node.id) && isNode(node.id.typeAnnotation) ? node.id.typeAnnotation.typeAnnotation : null;
    return isNode(annotation) && annotation.type !== "TSUnknownKeyword" && isJsonParse(node.init);
  }
  if (node.type !== "TSAsExpression" || isUnknown(node)) return false;
  const inner = withoutParentheses(node.expression);
  return isJsonParse(inner) || (isNode(inner) && inner.type === "TSAsExpression" && isUnknown(inner));
}

function isUnknown(node: Node): boolean {
  return isNode(node.typeAnnotation) && node.typeAnnotation.type === "TSUnknownKeyword";
}

function isJsonParse(node: unknown): boolean {
  const inner = withoutParentheses(node);
  return isNode(inner) && inner.type === "CallExpression" && memberName(inner.callee) === "JSON.parse";
}

function withoutParentheses(node: unknown): unknown {
  return isNode(node) && node.type === "ParenthesizedExpression" ? withoutParentheses(node.expression) : node;
}

/** `{ … }`, in parentheses or with `as const` and the like. */
function isObjectLiteral(node: unknown): boolean {
  const inner = withoutParentheses(node);
  if (!isNode(inner)) return false;
  return (
    inner.type === "ObjectExpression" ||
    (["TSAsExpression", "TSSatisfiesExpression"].includes(inner.type) && isObjectLiteral(inner.expression))
  );
}

const IMPURE_MEMBERS = new Set([
  "Date.now",
  "Math.random",
  "performance.now",
  "crypto.randomUUID",
  "crypto.getRandomValues",
  "process.env",
  "process.exit",
  "process.hrtime",
  "process.cwd",
  "process.pid",
  "globalThis.process",
]);
const IMPURE_CALLS = new Set(["fetch", "setTimeout", "setInterval", "setImmediate", "queueMicrotask"]);

function isImpure(node: Node): boolean {
  if (node.type === "MemberExpression") return IMPURE_MEMBERS.has(memberName(node) ?? "");
  if (node.type === "CallExpression") return IMPURE_CALLS.has(nameOf(node.callee) ?? "");
  // `new Date()` asks the clock; `new Date(ms)` only turns a number into a date.
  return (
    node.type === "NewExpression" &&
    nameOf(node.callee) === "Date" &&
    Array.isArray(node.arguments) &&
    node.arguments.length === 0
  );
}

const OBJECT_IDS = new Set(["idFromName", "idFromString", "newUniqueId", "getByName"]);

/** `namespace.idFromName` and its like, also as `namespace["idFromName"]`. */
function isObjectId(node: Node): boolean {
  if (node.type !== "MemberExpression" || !isNode(node.property)) return false;
  const name = node.computed === true ? node.property.value : node.property.name;
  return typeof name === "string" && OBJECT_IDS.has(name);
}

/** `console.warn`, `console["warn"]`, `globalThis.console`, and `console` handed on as a value. */
function isConsole(node: Node): boolean {
  return node.type === "Identifier" && node.name === "console";
}
