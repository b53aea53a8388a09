import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import type { RuleDocument } from "../src/client/policy-calls.ts";
import { UsageError } from "./failure.ts";

/** A rule of a file, and where it stands there, for messages. */
export interface RuleInFile {
  readonly id: string;
  readonly rule: RuleDocument;
  readonly at: string;
}

/**
 * Reads rules from a file of YAML, of which JSON is a part: one rule, a list of them, `policies:` with a list, or
 * several such documents. `-` is the standard input.
 *
 * @throws UsageError that names the file and the line
 */
export function readPolicyFile(file: string): RuleInFile[] {
  const text = readText(file);
  const rules: RuleInFile[] = [];
  for (const document of parseAllDocuments(text, { maxAliasCount: 0 } as object)) {
    const [problem] = "errors" in document ? document.errors : [];
    if (problem !== undefined) throw new UsageError(`${file}: ${problem.message}`);
    const content: unknown = document.toJS({ maxAliasCount: 100 });
    if (content === null || content === undefined) continue;
    for (const rule of rulesIn(content)) rules.push(checked(rule, file, rules.length + 1));
  }
  if (rules.length === 0) throw new UsageError(`${file} holds no rule`);
  const twice = rules.find(({ id }, place) => rules.findIndex((other) => other.id === id) < place);
  if (twice !== undefined) throw new UsageError(`${twice.at}: another rule of the file has this id`);
  return rules;
}

function rulesIn(content: unknown): unknown[] {
  if (Array.isArray(content)) return content;
  if (typeof content === "object" && content !== null && "policies" in content) {
    const { policies } = content;
    return Array.isArray(policies) ? policies : [policies];
  }
  return [content];
}

function checked(rule: unknown, file: string, place: number): RuleInFile {
  if (typeof rule !== "object" || rule === null || Array.isArray(rule)) {
    throw new UsageError(`${file}, rule ${place}: a rule is a set of fields`);
  }
  const { id } = rule as { id?: unknown };
  if (typeof id !== "string" || id === "") throw new UsageError(`${file}, rule ${place}: give it an id`);
  return { id, rule: rule as RuleDocument, at: `${file}, rule ${id}` };
}

function readText(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(code === "ENOENT" ? `there is no file ${file}` : `cannot read ${file} (${code})`);
  }
}
