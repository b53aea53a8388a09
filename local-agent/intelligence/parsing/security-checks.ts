import type { FactsBuilder } from "./facts-builder.ts";
import { childrenOf, oneLine, type SyntaxNode } from "./source.ts";

/** Calls that run text as code. */
const DYNAMIC = /^(?:eval|exec|Function|vm\.runIn\w+)$/;
const SHELL = /^(?:os\.(?:system|popen)|(?:child_process\.)?execSync)$/;
const UNSAFE_LOADING = /^(?:pickle|cPickle|marshal|dill|shelve)\.(?:loads?|open)$/;
const SECRET_NAME = /(?:^|[_.])(?:password|passwd|secret|api_?key|access_?token|auth_?token|private_?key)$/i;
/** Values that stand for a secret, or say where it is. */
const PLACEHOLDER = /[{}<>$\s*]|^(?:x+|\.+|changeme|example|test|none|null|todo)$/i;
const SHORTEST_SECRET = 6;

/** Looks at a call for what is known to be unsafe. The names of nodes are those of both grammars. */
export function inspectCall(node: SyntaxNode, facts: FactsBuilder): void {
  const callee = node.firstChild?.name === "new" ? node.firstChild.nextSibling : node.firstChild;
  const args = node.getChild("ArgList");
  if (callee === null || args === null || callee.to - callee.from > 200) return;
  const name = facts.source.of(callee);
  const text = args.to - args.from > 4_000 ? "" : facts.source.of(args);
  const found = (rule: string, message: string) => facts.issue(rule, "security", message, node.from);
  // A literal alone cannot be turned into other code, but there is then no need for it either.
  if (DYNAMIC.test(name)) found("dynamic-code", `${name} runs text as code`);
  if (SHELL.test(name) || hasOption(args, "shell", /^(?:True|true)$/, facts))
    found("shell-command", `${oneLine(name, 60)} runs a shell`);
  if (UNSAFE_LOADING.test(name) || (/^yaml\.(?:load|load_all)$/.test(name) && !/Safe|Base/.test(text)))
    found("unsafe-loading", `${name} can make any object, and run code on the way`);
  if (hasOption(args, "verify", /^False$/, facts) || hasOption(args, "rejectUnauthorized", /^false$/, facts))
    found("unchecked-certificate", `${oneLine(name, 60)} does not check certificates`);
}

/** Whether a call is given an option of this name and value, as a keyword or in an object. */
function hasOption(args: SyntaxNode, name: string, value: RegExp, { source }: FactsBuilder): boolean {
  const children = childrenOf(args);
  const keyword = children.some(
    (child, index) =>
      child.name === "VariableName" &&
      source.of(child) === name &&
      children[index + 1]?.name === "AssignOp" &&
      value.test(source.of(children[index + 2] ?? child)),
  );
  if (keyword) return true;
  return children
    .filter((child) => child.name === "ObjectExpression")
    .flatMap((object) => object.getChildren("Property"))
    .some((property) => {
      const [key, , given] = childrenOf(property);
      return key !== undefined && given !== undefined && source.of(key) === name && value.test(source.of(given));
    });
}

/** A text that is given to a name such as `password`. The text itself is not shown. */
export function inspectSecret(node: SyntaxNode, facts: FactsBuilder): void {
  const children = childrenOf(node);
  const value = children.at(-1)?.name === ";" ? children.at(-2) : children.at(-1);
  const target = children.find(({ name }) =>
    /^(?:VariableName|MemberExpression|VariableDefinition|PropertyDefinition)$/.test(name),
  );
  if (value?.name !== "String" || target === undefined || target.to - target.from > 200) return;
  const text = facts.source.of(value).replace(/^[a-z]{0,2}["'`]+|["'`]+$/gi, "");
  const name = facts.source.of(target);
  if (
    text.length < SHORTEST_SECRET ||
    PLACEHOLDER.test(text) ||
    !SECRET_NAME.test(name.replace(/([a-z])([A-Z])/g, "$1_$2"))
  )
    return;
  facts.issue("secret-in-code", "security", `${oneLine(name, 60)} is given a text that stands in the code`, node.from);
}
