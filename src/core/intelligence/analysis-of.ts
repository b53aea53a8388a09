import type { AnalysisAnswer } from "./answer.ts";
import { confidenceOf } from "./confidence.ts";
import type { CallableFacts, FileFacts, Issue } from "./file-facts.ts";
import { type NodeType, nodeNameOf, readNodeType } from "./node-types.ts";

/** Above these a function is hard to follow. */
const MAX_CYCLOMATIC = 10;
const MAX_COGNITIVE = 15;
const MAX_FUNCTION_LINES = 80;
const LISTED = 100;

/**
 * The figures of a file, each computed from its syntax tree by a rule that docs/intelligence.md states.
 *
 * @param path - its name says what kind of node it should be; where it does not, there is no compliance to measure
 */
export function analysisOf(facts: FileFacts, path: string): AnalysisAnswer {
  const callables = [...facts.classes.flatMap(({ methods }) => methods), ...facts.functions];
  const issues = [...facts.issues, ...lengthIssues(callables)].toSorted((a, b) => a.line - b.line);
  const { type } = nodeNameOf(path.slice(path.lastIndexOf("/") + 1));
  const kind = type ?? typeOfClasses(facts);
  const checks = kind === undefined ? [] : complianceOf(facts, kind, type !== undefined);
  const complexity = complexityScore(callables);
  const maintainability = maintainabilityOf(facts);
  const cleanliness = 1 / (1 + issues.length / Math.max(1, facts.figures.codeLines / 50));
  const completeness = confidenceOf(facts, kind);
  const recommendations = [
    ...checks.filter(({ met }) => !met).map(({ advice }) => advice),
    ...new Set(issues.map(({ rule }) => ADVICE[rule]).filter((advice) => advice !== undefined)),
  ];
  const patterns = patternsIn(facts, kind);
  return {
    source_path: path,
    quality_score: rounded((1 - complexity + maintainability + cleanliness + completeness) / 4),
    ...(checks.length > 0 && { onex_compliance: rounded(checks.filter(({ met }) => met).length / checks.length) }),
    issues_count: issues.length,
    recommendations_count: recommendations.length,
    complexity_score: rounded(complexity),
    maintainability_score: rounded(maintainability),
    results_summary: {
      total_lines: facts.figures.totalLines,
      cyclomatic_complexity: facts.figures.cyclomatic,
      cognitive_complexity: facts.figures.cognitive,
      pattern_matches: patterns.length,
      anti_patterns: issues.filter(({ kind: is }) => is === "anti_pattern").length,
      security_issues: issues.filter(({ kind: is }) => is === "security").length,
    },
    issues: issues.slice(0, LISTED).map(({ rule, message, line }) => ({ rule, message, line })),
    recommendations: recommendations.slice(0, LISTED),
    patterns: patterns.slice(0, LISTED),
  };
}

/** 0 where no function is complex, 1 where all are far above the limits: the mean of each function's share. */
function complexityScore(callables: readonly CallableFacts[]): number {
  if (callables.length === 0) return 0;
  const shares = callables.map(({ cyclomatic, cognitive }) =>
    Math.min(1, Math.max((cyclomatic - 1) / (2 * MAX_CYCLOMATIC), cognitive / (2 * MAX_COGNITIVE))),
  );
  const mean = shares.reduce((sum, each) => sum + each, 0) / shares.length;
  // One function that nobody can follow is not made good by many small ones.
  return (mean + Math.max(...shares)) / 2;
}

/**
 * The maintainability index, from 0 to 1.
 *
 * @see https://learn.microsoft.com/visualstudio/code-quality/code-metrics-maintainability-index-range-and-meaning
 */
function maintainabilityOf({ figures: { tokens, distinctTokens, cyclomatic, codeLines } }: FileFacts): number {
  if (codeLines === 0) return 1;
  const volume = tokens * Math.log2(Math.max(2, distinctTokens));
  const index = 171 - 5.2 * Math.log(Math.max(1, volume)) - 0.23 * cyclomatic - 16.2 * Math.log(codeLines);
  return Math.min(1, Math.max(0, index / 171));
}

interface Check {
  readonly met: boolean;
  readonly advice: string;
}

/** What a node of a kind should have. */
function complianceOf(facts: FileFacts, type: NodeType, namedForIt: boolean): Check[] {
  const word = type.charAt(0) + type.slice(1).toLowerCase();
  const nodes = facts.classes.filter(({ name }) => name.startsWith("Node"));
  const methods = facts.classes.flatMap((each) => each.methods);
  const open = methods.filter(({ name }) => !name.startsWith("_"));
  return [
    { met: namedForIt, advice: `Name the file node_<domain>_${type.toLowerCase()}.` },
    { met: nodes.length > 0, advice: `Name the class Node<Domain>${word}.` },
    { met: nodes.some(({ name }) => name.endsWith(word)), advice: `End the name of the node's class with ${word}.` },
    {
      met: facts.classes.some(({ bases }) => bases.some((base) => base.includes(word))),
      advice: `Derive the class from a base of ${word.toLowerCase()} nodes.`,
    },
    {
      met: methods.some(
        ({ name }) => name === `execute_${type.toLowerCase()}` || name === "execute" || name === "process",
      ),
      advice: `Give the node the method execute_${type.toLowerCase()}.`,
    },
    { met: facts.errorHandling.caught.length > 0, advice: "Catch errors by their kind." },
    {
      met: facts.documentation !== undefined || facts.classes.some(({ documentation }) => documentation !== undefined),
      advice: "Describe the file or its class in one sentence.",
    },
    {
      met: open.length > 0 && open.every(({ signature }) => isTyped(signature, facts.language)),
      advice: "Declare the types of parameters and results of public methods.",
    },
  ];
}

/** Parameters other than `self` and `cls` have types, and so has the result of a method in Python. */
function isTyped(signature: string, language: FileFacts["language"]): boolean {
  if (language === "javascript") return true;
  if (language === "python" && !signature.includes("->")) return false;
  const inside = signature.slice(signature.indexOf("(") + 1, signature.lastIndexOf(")"));
  const parameters = inside.split(",").map((each) => each.trim().replace(/^\*{1,2}/, ""));
  return parameters.every((each) => ["", "self", "cls", "/"].includes(each) || !/^[A-Za-z_]\w*(\s*=.*)?$/.test(each));
}

function typeOfClasses({ classes }: FileFacts): NodeType | undefined {
  for (const { name } of classes) {
    const [, ending = ""] = /^Node\w*(Effect|Compute|Reducer|Orchestrator)$/.exec(name) ?? [];
    const type = readNodeType(ending);
    if (type !== undefined) return type;
  }
  return undefined;
}

/** What the file is seen to use. */
function patternsIn(facts: FileFacts, type: NodeType | undefined): string[] {
  const callables = [...facts.classes.flatMap(({ methods }) => methods), ...facts.functions];
  const found: [string, boolean][] = [
    [`${type?.toLowerCase() ?? ""}_node`, type !== undefined],
    ["class_hierarchy", facts.classes.some(({ bases }) => bases.length > 0)],
    ["error_handling", facts.errorHandling.caught.length > 0],
    ["clean_up", facts.errorHandling.finally > 0],
    ["transaction_management", facts.transactions.length > 0],
    ["metrics_tracking", facts.metrics.length > 0],
    ["async_io", callables.some(({ async }) => async)],
    ["decorators", callables.some(({ decorators }) => decorators.length > 0)],
  ];
  return found.filter(([, is]) => is).map(([name]) => name);
}

function lengthIssues(callables: readonly CallableFacts[]): Issue[] {
  return callables.flatMap(({ name, line, lines, cyclomatic, cognitive }): Issue[] => {
    const issue = (rule: string, message: string): Issue => ({ rule, kind: "anti_pattern", message, line });
    return [
      ...(lines > MAX_FUNCTION_LINES ? [issue("long-function", `${name} has ${lines} lines`)] : []),
      ...(cyclomatic > MAX_CYCLOMATIC || cognitive > MAX_COGNITIVE
        ? [
            issue(
              "complex-function",
              `${name} has a cyclomatic complexity of ${cyclomatic}, a cognitive one of ${cognitive}`,
            ),
          ]
        : []),
    ];
  });
}

const ADVICE: Readonly<Record<string, string>> = {
  "bare-except": "Name the kinds of errors that a handler expects, and let others through.",
  "swallowed-error": "Handle or log an error that is caught, or let it through.",
  "mutable-default": "Make default values inside of the function: one that can change is shared by all calls.",
  "star-import": "Import by name, so that readers see where a name comes from.",
  "global-statement": "Pass state as an argument instead of changing globals.",
  "long-function": `Split functions above ${MAX_FUNCTION_LINES} lines by what their parts do.`,
  "complex-function": `Split functions above a cyclomatic complexity of ${MAX_CYCLOMATIC} or a cognitive one of ${MAX_COGNITIVE}.`,
  "dynamic-code": "Do not run text as code: use a table of functions, or a parser.",
  "shell-command": "Run programs with a list of arguments and without a shell.",
  "unsafe-loading": "Load data by a reader that makes plain values alone, such as yaml.safe_load or json.",
  "unchecked-certificate": "Let certificates be checked.",
  "secret-in-code": "Read secrets from the settings, and replace the one that stands in the code.",
};

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;
