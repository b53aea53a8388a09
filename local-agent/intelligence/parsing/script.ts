import { parser } from "@lezer/javascript";
import type { BranchNames } from "./complexity.ts";
import type { FactsBuilder } from "./facts-builder.ts";
import { inspectCall, inspectSecret } from "./security-checks.ts";
import { childrenOf, oneLine, type SyntaxNode, type SyntaxNodeRef, summaryOf } from "./source.ts";

export const TYPESCRIPT_PARSER = parser.configure({ dialect: "ts" });
export const TYPESCRIPT_JSX_PARSER = parser.configure({ dialect: "ts jsx" });
export const JAVASCRIPT_PARSER = parser.configure({ dialect: "jsx" });

export const SCRIPT_BRANCHES: BranchNames = {
  nesting: new Set([
    "IfStatement",
    "ForStatement",
    "WhileStatement",
    "DoStatement",
    "CatchClause",
    "ConditionalExpression",
  ]),
  choices: new Set(["SwitchStatement"]),
  ways: new Set(["CaseLabel"]),
  flat: new Set(["else"]),
  inner: new Set(["ArrowFunction", "FunctionExpression", "FunctionDeclaration", "MethodDeclaration"]),
  // The `else` of `else if` and the `if` behind it are one.
  continues: ({ name, node }) =>
    name === "IfStatement"
      ? node.prevSibling?.name === "else"
      : name === "else" && node.nextSibling?.name === "IfStatement",
  logicOf: ({ name, node }, text) => {
    if (name !== "BinaryExpression") return undefined;
    const operator = node.getChild("LogicOp");
    return operator === null ? undefined : text.slice(operator.from, operator.to);
  },
};

/** @returns whether the node opened a class or function, which ends with it */
export function enterScript(node: SyntaxNodeRef, facts: FactsBuilder): boolean {
  const { source } = facts;
  switch (node.name) {
    case "Script":
      facts.documentation = commentText(node.node.firstChild, facts);
      return false;
    case "ClassDeclaration":
    case "ClassExpression":
      if (facts.insideCallable) return false;
      facts.openClass(classHead(node.node, facts));
      return true;
    case "FunctionDeclaration":
    case "MethodDeclaration":
      if (facts.insideCallable) return false;
      facts.openCallable(callableHead(node.node, node.node, facts));
      return true;
    case "ArrowFunction":
    case "FunctionExpression": {
      const declaration = node.node.parent;
      if (
        facts.insideCallable ||
        (declaration?.name !== "VariableDeclaration" && declaration?.name !== "PropertyDeclaration")
      )
        return false;
      facts.openCallable(callableHead(declaration, node.node, facts));
      return true;
    }
    case "ImportDeclaration":
    case "ExportDeclaration": {
      const from = node.node.getChild("String");
      if (from !== null) facts.imports(unquoted(source.of(from)));
      return false;
    }
    case "TryStatement":
      facts.tries += 1;
      return false;
    case "CatchClause":
      readHandler(node.node, facts);
      return false;
    case "FinallyClause":
      facts.finally += 1;
      return false;
    case "ThrowStatement":
      facts.raises += 1;
      return false;
    case "CallExpression":
    case "NewExpression":
      readRequire(node.node, facts);
      inspectCall(node.node, facts);
      return false;
    case "VariableDeclaration":
    case "PropertyDeclaration":
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
  const name = node.getChild("VariableDefinition");
  return {
    name: name === null ? "" : source.of(name),
    bases: basesOf(node, facts),
    decorators: decoratorsOf(node, facts),
    documentation: documentationOf(node, facts),
    line: source.lineAt(node.from),
  };
}

/** What stands behind `extends` and `implements`, without type arguments. */
function basesOf(node: SyntaxNode, { source }: FactsBuilder): string[] {
  const bases: string[] = [];
  let inside = false;
  for (const child of childrenOf(node)) {
    if (child.name === "extends" || child.name === "implements") inside = true;
    else if (child.name === "ClassBody") break;
    else if (inside && ![",", "TypeArgList"].includes(child.name))
      bases.push(oneLine(source.of(child), 200).replace(/<.*$/, ""));
  }
  return bases;
}

/**
 * @param declaration - what names the function
 * @param body - the function itself
 */
function callableHead(declaration: SyntaxNode, body: SyntaxNode, facts: FactsBuilder) {
  const { source } = facts;
  const named =
    declaration.getChild("VariableDefinition") ??
    declaration.getChild("PropertyDefinition") ??
    declaration.getChild("PrivatePropertyDefinition");
  const name = named === null ? "" : source.of(named);
  const parameters = body.getChild("ParamList");
  const result = body.getChild("TypeAnnotation");
  return {
    name,
    signature: oneLine(
      `${name}${parameters === null ? "()" : source.of(parameters)}${result === null ? "" : source.of(result)}`,
    ),
    async: body.getChild("async") !== null,
    decorators: decoratorsOf(declaration, facts),
    documented: documentationOf(declaration, facts) !== undefined,
    line: source.lineAt(declaration.from),
  };
}

function decoratorsOf(node: SyntaxNode, { source }: FactsBuilder): string[] {
  return node.getChildren("Decorator").map((each) => oneLine(source.of(each).replace(/^@\s*/, ""), 200));
}

/** The comment `/** … *\/` before a declaration, or before its `export`. */
function documentationOf(node: SyntaxNode, facts: FactsBuilder): string | undefined {
  const outer = node.parent?.name === "ExportDeclaration" ? node.parent : node;
  return commentText(outer.prevSibling, facts);
}

function commentText(node: SyntaxNode | null, { source }: FactsBuilder): string | undefined {
  if (node?.name !== "BlockComment") return undefined;
  const text = source.of(node);
  if (!text.startsWith("/**")) return undefined;
  return summaryOf(text.slice(3, -2).replace(/^[ \t]*\* ?/gm, ""));
}

const unquoted = (text: string): string => text.replace(/^["'`]|["'`]$/g, "");

/** The module that a call of `require`, or a dynamic import, names. */
function readRequire(node: SyntaxNode, facts: FactsBuilder): void {
  const { source } = facts;
  const callee = node.firstChild;
  if (callee === null || (source.of(callee) !== "require" && callee.name !== "DynamicImport")) return;
  const text = node.getChild("ArgList")?.getChild("String");
  if (text != null) facts.imports(unquoted(source.of(text)));
}

/** JavaScript catches everything; which kinds a handler expects, its `instanceof` tests say. */
function readHandler(node: SyntaxNode, facts: FactsBuilder): void {
  const { source } = facts;
  const block = node.getChild("Block");
  if (block === null) return;
  const isEmpty = childrenOf(block).every(({ name }) => name === "{" || name === "}");
  if (isEmpty) facts.issue("swallowed-error", "anti_pattern", "a handler does nothing with the error", node.from);
  const text = source.of(block).slice(0, 20_000);
  facts.catches([...text.matchAll(/\binstanceof\s+([A-Za-z_$][\w$.]*)/g)].map(([, kind = ""]) => kind));
}
