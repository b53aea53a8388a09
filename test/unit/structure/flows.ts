import type { SourceFile } from "./source-file.ts";

/** A flow as ARCHITECTURE.md lists it: a heading `### 1. …` and numbered steps, each of which begins with a file. */
export interface Flow {
  readonly title: string;
  readonly steps: readonly Step[];
}

export interface Step {
  readonly path: string;
  /** How the flow comes here, where no import leads from the step before: what stands in italics behind the file. */
  readonly handOver: string | undefined;
}

export function readFlows(markdown: string): Flow[] {
  const [, section = ""] = markdown.split(/^## The five flows$/m);
  return (section.split(/^## /m)[0] ?? "")
    .split(/^### /m)
    .slice(1)
    .map((part) => {
      const [title = "", ...lines] = part.split("\n");
      return { title, steps: lines.flatMap(readStep) };
    });
}

function readStep(line: string): Step[] {
  const [, path, handOver] = /^\d+\. `([^`]+)`(?: \*\(([^)]+)\)\*)?/.exec(line) ?? [];
  return path === undefined ? [] : [{ path, handOver }];
}

/** The log may come again: a flow enters it, and leaves it for its readers. */
const LOG = "src/durable-objects/signals/object.ts";

/** @returns what is wrong with a flow: files twice, and steps that nothing connects with the one before */
export function flowProblems({ title, steps }: Flow, files: ReadonlyMap<string, SourceFile>): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  steps.forEach((step, index) => {
    const { path } = step;
    if (seen.has(path) && path !== LOG) problems.push(`${title}: ${path} comes twice`);
    seen.add(path);
    const before = steps[index - 1]?.path;
    if (before === undefined) return;
    const problem = connectionProblem(before, step, files);
    if (problem !== undefined) problems.push(`${title}: step ${index + 1}, ${path}: ${problem}`);
  });
  return problems;
}

function connectionProblem(
  before: string,
  { path, handOver }: Step,
  files: ReadonlyMap<string, SourceFile>,
): string | undefined {
  const connected = (a: string, b: string) => imports(files.get(a), b) || imports(files.get(b), a);
  if (handOver === undefined) return connected(before, path) ? undefined : `no import connects it with ${before}`;
  const [, way, name = ""] = /^(RPC|frame|message|by) (?:`([^`]+)`)/.exec(handOver) ?? [];
  switch (way) {
    case "by":
      return connected(name, before) && connected(name, path) ? undefined : `${name} does not know both files`;
    case "RPC":
      return methodsOf(path, files).includes(name) ? undefined : `it has no method ${name}`;
    case "frame":
    case "message":
      return undefined;
    default:
      return `the hand-over (${handOver}) is none of: RPC, frame, message, by`;
  }
}

/** A class may have a call from the class, or the part, that it is built on. */
function methodsOf(path: string, files: ReadonlyMap<string, SourceFile>): string[] {
  const file = files.get(path);
  const imported = file?.imports.map(({ target }) => files.get(target ?? "")) ?? [];
  return [file, ...imported].flatMap((each) => each?.methods ?? []);
}

function imports(file: SourceFile | undefined, target: string): boolean {
  return file?.imports.some((each) => each.target === target) ?? false;
}
