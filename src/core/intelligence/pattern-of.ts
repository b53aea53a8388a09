import { confidenceOf, isConstructor } from "./confidence.ts";
import type { CallableFacts, FileFacts } from "./file-facts.ts";
import { type NodeName, nodeNameOf } from "./node-types.ts";
import type { Pattern } from "./pattern.ts";

/** A pattern as a host writes it: what every pattern of ours holds. */
export type FoundPattern = Pattern & { readonly code_snippet: string };

/** Characters of a snippet, and entries of a list, in a pattern: many patterns share one answer. */
const SNIPPET = 1_200;
const LISTED = 24;

/**
 * The pattern of a file.
 *
 * @param path - below its root
 * @param text - of the file; the snippet begins at its main class
 */
export function patternOf(facts: FileFacts, path: string, text: string, modifiedMs: number): FoundPattern {
  const named = nodeNameOf(path.slice(path.lastIndexOf("/") + 1));
  // The class with most methods is what the file is about; helpers stand beside it.
  const main = facts.classes.toSorted((a, b) => b.methods.length - a.methods.length)[0];
  const callables = main?.methods ?? facts.functions;
  const { cyclomatic, cognitive, totalLines } = facts.figures;
  return {
    file_path: path,
    confidence: confidenceOf(facts, named.type),
    name: main?.name ?? path.slice(path.lastIndexOf("/") + 1),
    description: main?.documentation ?? facts.documentation ?? describe(named, main?.name),
    pattern_type: named.type === undefined ? "module" : `${named.type.toLowerCase()}_node`,
    node_type: named.type ?? null,
    node_types: named.type === undefined ? [] : [named.type],
    domain: named.domain ?? null,
    use_cases: callables
      .filter(({ name }) => !name.startsWith("_") && !isConstructor(name))
      .slice(0, LISTED)
      .map(({ name }) => name.replaceAll("_", " ")),
    best_practices: practicesOf(facts),
    code_snippet: snippetOf(withoutSecrets(text, facts), main?.line ?? callables[0]?.line ?? 1),
    class_name: main?.name ?? null,
    bases: main?.bases.slice(0, LISTED) ?? [],
    class_structure: facts.classes.slice(0, LISTED).map(({ name, bases, methods }) => ({
      name,
      bases: bases.slice(0, LISTED),
      methods: methods.slice(0, LISTED).map((method) => method.name),
    })),
    methods: callables.slice(0, LISTED).map(methodOf),
    decorators: [...new Set([...(main?.decorators ?? []), ...callables.flatMap((one) => one.decorators)])].slice(
      0,
      LISTED,
    ),
    imports: facts.imports.slice(0, LISTED),
    error_handling: {
      caught: facts.errorHandling.caught.slice(0, LISTED),
      tries: facts.errorHandling.tries,
      raises: facts.errorHandling.raises,
      always_cleans_up: facts.errorHandling.finally > 0,
    },
    ...(named.type === "EFFECT" && { transaction_management: facts.transactions.slice(0, LISTED) }),
    metrics_tracking: facts.metrics.slice(0, LISTED),
    documentation: {
      file: facts.documentation ?? null,
      described_methods: callables.filter(({ documented }) => documented).length,
      methods: callables.length,
    },
    metrics: { lines: totalLines, cyclomatic_complexity: cyclomatic, cognitive_complexity: cognitive },
    metadata: { complexity: cyclomatic, last_updated: new Date(modifiedMs).toISOString() },
  };
}

const methodOf = ({ name, signature, async, decorators }: CallableFacts) => ({
  name,
  signature: signature.slice(0, 300),
  async,
  decorators: decorators.slice(0, LISTED),
});

function describe({ type, domain }: NodeName, className: string | undefined): string | null {
  if (type === undefined) return className === undefined ? null : `The class ${className}.`;
  return `${type.charAt(0)}${type.slice(1).toLowerCase()} node${domain === undefined ? "" : ` for ${domain.replaceAll("_", " ")}`}.`;
}

/** What the file is seen to do, as rules for whoever writes another one. */
function practicesOf({ errorHandling, transactions, metrics, classes, functions, imports }: FileFacts): string[] {
  const callables = [...classes.flatMap(({ methods }) => methods), ...functions];
  const described = callables.filter(({ documented }) => documented).length;
  const practices: string[] = [];
  if (errorHandling.caught.length > 0)
    practices.push(`Catches errors by their kind: ${errorHandling.caught.slice(0, 6).join(", ")}`);
  if (errorHandling.finally > 0) practices.push("Cleans up on every path, errors included");
  if (transactions.length > 0) practices.push(`Handles transactions: ${transactions.slice(0, 4).join(", ")}`);
  if (metrics.length > 0) practices.push(`Measures its work: ${metrics.slice(0, 4).join(", ")}`);
  if (callables.some(({ async }) => async)) practices.push("Waits for I/O without blocking (async)");
  if (callables.length > 0 && described * 2 >= callables.length) practices.push("Describes its public methods");
  if (imports.some((name) => /(^|\.)(logging|structlog|loguru|pino|winston)$/.test(name)))
    practices.push("Logs what it does");
  return practices;
}

/** Secrets that stand in the code leave no host: the texts of their lines are blanked. */
function withoutSecrets(text: string, { issues }: FileFacts): string {
  const lines = new Set(issues.filter(({ rule }) => rule === "secret-in-code").map(({ line }) => line));
  if (lines.size === 0) return text;
  return text
    .split("\n")
    .map((line, index) => (lines.has(index + 1) ? line.replace(/(["'`]).+\1/g, '"***"') : line))
    .join("\n");
}

/** From a line on, whole lines, as much as a pattern may hold. */
function snippetOf(text: string, line: number): string {
  let start = 0;
  for (let passed = 1; passed < line; passed++) {
    const next = text.indexOf("\n", start);
    if (next < 0) break;
    start = next + 1;
  }
  if (text.length - start <= SNIPPET) return text.slice(start).trimEnd();
  const cut = text.lastIndexOf("\n", start + SNIPPET);
  return `${text.slice(start, cut > start ? cut : start + SNIPPET).trimEnd()}\n…`;
}
