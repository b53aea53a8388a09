import { parser } from "@lezer/python";
import type { BranchNames } from "./complexity.ts";
import type { FactsBuilder } from "./facts-builder.ts";
import { inspectCall, inspectSecret } from "./security-checks.ts";
import { childrenOf, oneLine, type SyntaxNode, type SyntaxNodeRef, summaryOf } from "./source.ts";

export const PYTHON_PARSER = parser;

export const PYTHON_BRANCHES: BranchNames = {
  nesting: new Set(["IfStatement", "ForStatement", "WhileStatement", "except", "ConditionalExpression"]),
  choices: new Set(["MatchStatement"]),
  ways: new Set([
    "elif",
    "MatchClause",
    "ArrayComprehensionExpression",
    "SetComprehensionExpression",
    "DictionaryComprehensionExpression",
    "ComprehensionExpression",
  ]),
  flat: new Set(["elif", "else"]),
  inner: new Set(["LambdaExpression", "FunctionDefinition"]),
  // `else` also ends a conditional expression, which counts already.
  continues: ({ name, node }) => name === "else" && node.parent?.name !== "IfStatement",
  logicOf: ({ name, node }) => {
    if (name !== "BinaryExpression") return undefined;
    if (node.getChild("and") !== null) return "and";
    return node.getChild("or") === null ? undefined : "or";
  },
};

/** Kinds of errors that stand for all. */
const BROAD = new Set(["Exception", "BaseException"]);

/** @returns whether the node opened a class or function, which ends with it */
export function enterPython(node: SyntaxNodeRef, facts: FactsBuilder): boolean {
  const { source } = facts;
  switch (node.name) {
    case "Script":
      facts.documentation = docstringOf(node.node, facts);
      return false;
    case "ClassDefinition":
      if (facts.insideCallable) return false;
      facts.openClass(classHead(node.node, facts));
      return true;
    case "FunctionDefinition":
      inspectDefaults(node.node, facts);
      if (facts.insideCallable) return false;
      facts.openCallable(functionHead(node.node, facts));
      return true;
    case "ImportStatement":
      readImport(source.of(node), facts);
      if (/import\s*\(?\s*\*/.test(source.of(node)))
        facts.issue("star-import", "anti_pattern", oneLine(source.of(node), 100), node.from);
      return false;
    case "TryStatement":
      facts.tries += 1;
      readHandlers(node.node, facts);
      return false;
    case "RaiseStatement":
      facts.raises += 1;
      return false;
    case "ScopeStatement":
      if (source.of(node).startsWith("global"))
        facts.issue("global-statement", "anti_pattern", oneLine(source.of(node), 100), node.from);
      return false;
    case "CallExpression":
      inspectCall(node.node, facts);
      return false;
    case "AssignStatement":
      inspectSecret(node.node, facts);
      return false;
    case "VariableName":
    case "PropertyName":
      facts.word(source.of(node));
      return false;
    default:
      return false;
  }
}

function classHead(node: SyntaxNode, facts: FactsBuilder) {
  const { source } = facts;
  const args = node.getChild("ArgList");
  return {
    name: nameOf(node, facts),
    bases: args === null ? [] : basesIn(args, facts),
    decorators: decoratorsOf(node, facts),
    documentation: docstringOf(node.getChild("Body"), facts),
    line: source.lineAt(node.from),
  };
}

/** `class A(Base[int], metaclass=M)` has one base. */
function basesIn(args: SyntaxNode, { source }: FactsBuilder): string[] {
  return childrenOf(args)
    .filter(({ name, prevSibling, nextSibling }) => {
      const isValue = !["(", ")", ",", "AssignOp", "*", "**", "Comment"].includes(name);
      return isValue && prevSibling?.name !== "AssignOp" && nextSibling?.name !== "AssignOp";
    })
    .map((node) => oneLine(source.of(node), 200));
}

function functionHead(node: SyntaxNode, facts: FactsBuilder) {
  const { source } = facts;
  const name = nameOf(node, facts);
  const parameters = node.getChild("ParamList");
  const result = node.getChild("TypeDef");
  const signature = `${name}${parameters === null ? "()" : source.of(parameters)}${result === null ? "" : ` ${source.of(result)}`}`;
  return {
    name,
    signature: oneLine(signature),
    async: node.getChild("async") !== null,
    decorators: decoratorsOf(node, facts),
    documented: docstringOf(node.getChild("Body"), facts) !== undefined,
    line: source.lineAt(node.from),
  };
}

function nameOf(node: SyntaxNode, { source }: FactsBuilder): string {
  const name = node.getChild("VariableName");
  return name === null ? "" : source.of(name);
}

function decoratorsOf({ parent }: SyntaxNode, { source }: FactsBuilder): string[] {
  if (parent?.name !== "DecoratedStatement") return [];
  return parent.getChildren("Decorator").map((each) => oneLine(source.of(each).replace(/^@\s*/, ""), 200));
}

/** The text that stands first in a body. */
function docstringOf(body: SyntaxNode | null, { source }: FactsBuilder): string | undefined {
  let first = body?.firstChild ?? null;
  while (first !== null && (first.name === ":" || first.name === "Comment")) first = first.nextSibling;
  if (first?.name !== "ExpressionStatement") return undefined;
  const text = first.firstChild;
  if (text === null || (text.name !== "String" && text.name !== "ContinuedString")) return undefined;
  return summaryOf(source.of(text).replace(/^[a-zA-Z]{0,2}("""|'''|"|')([\s\S]*)\1$/, "$2"));
}

function readImport(text: string, facts: FactsBuilder): void {
  const flat = oneLine(text.replace(/#[^\n]*/g, " ").replaceAll("\\", " "), 4_000);
  const [, from] = /^from\s+([.\w\s]+?)\s+import\b/.exec(flat) ?? [];
  if (from !== undefined) facts.imports(from.replaceAll(" ", ""));
  else
    for (const part of flat.replace(/^import\s+/, "").split(",")) facts.imports(part.trim().split(/\s+as\s+/)[0] ?? "");
}

function readHandlers(node: SyntaxNode, facts: FactsBuilder): void {
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (child.name === "finally") facts.finally += 1;
    if (child.name !== "except") continue;
    const kinds: string[] = [];
    let part = child.nextSibling;
    for (; part !== null && part.name !== "Body"; part = part.nextSibling) {
      if (part.name === "as") break;
      if (part.name === "TupleExpression") kinds.push(...kindsIn(part, facts));
      else if (part.name === "VariableName" || part.name === "MemberExpression") kinds.push(facts.source.of(part));
    }
    const body = part?.name === "Body" ? part : bodyAfter(child);
    const isBare = kinds.length === 0;
    if (isBare)
      facts.issue(
        "bare-except",
        "anti_pattern",
        "a handler catches every error, even the end of the program",
        child.from,
      );
    if (body !== null && isEmpty(body, facts))
      facts.issue("swallowed-error", "anti_pattern", "a handler does nothing with the error", child.from);
    facts.catches(kinds.filter((kind) => !BROAD.has(kind)));
  }
}

function bodyAfter(node: SyntaxNode): SyntaxNode | null {
  let next = node.nextSibling;
  while (next !== null && next.name !== "Body") next = next.nextSibling;
  return next;
}

const kindsIn = (tuple: SyntaxNode, { source }: FactsBuilder): string[] =>
  childrenOf(tuple)
    .filter(({ name }) => name === "VariableName" || name === "MemberExpression")
    .map((node) => source.of(node));

/** Nothing but `pass` or `...`. */
function isEmpty(body: SyntaxNode, { source }: FactsBuilder): boolean {
  const statements = childrenOf(body).filter(({ name }) => name !== ":" && name !== "Comment");
  return statements.every((each) => each.name === "PassStatement" || source.of(each) === "...");
}

/** A default value that can change is shared by all calls. */
function inspectDefaults(node: SyntaxNode, facts: FactsBuilder): void {
  const parameters = node.getChild("ParamList");
  if (parameters === null) return;
  for (const child of childrenOf(parameters)) {
    const isDefault = child.prevSibling?.name === "AssignOp";
    const isMutable =
      ["ArrayExpression", "DictionaryExpression", "SetExpression"].includes(child.name) ||
      /^(?:list|dict|set)\(\)$/.test(facts.source.of(child));
    if (isDefault && isMutable)
      facts.issue(
        "mutable-default",
        "anti_pattern",
        `the default ${oneLine(facts.source.of(child), 40)} is shared by all calls`,
        child.from,
      );
  }
}
