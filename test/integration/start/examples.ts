import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";

/** A block of a document with the comment above it that says what is done with it. */
export interface Example {
  /**
   * `run`: a shell script that ends well. `signal: <what>`: a signal that the edge accepts. `agent file`: a file of
   * settings that the agent takes.
   */
  readonly mark: string;
  readonly language: string;
  readonly text: string;
  /** `docs/signals.md:12` */
  readonly at: string;
}

const BLOCK = /^<!-- (run|agent file|signal: [^>]*?) -->\n```(\w+)\n(.*?)^```$/gms;

export const documents = (): string[] => [
  "README.md",
  "CONTRIBUTING.md",
  ...globSync("docs/*.md", { cwd: PROJECT_ROOT }).sort(),
];

/** Pages for those who come from an older system; each is run as a whole, on a fresh start. */
export const comingFromPages = (): string[] => globSync("docs/coming-from/*.md", { cwd: PROJECT_ROOT }).sort();

/** Whole ways to a purpose; each is run as a whole, on a fresh start. */
export const recipes = (): string[] => globSync("docs/recipes/*.md", { cwd: PROJECT_ROOT }).sort();

export function examplesIn(document: string): Example[] {
  const text = readFileSync(join(PROJECT_ROOT, document), "utf8");
  return [...text.matchAll(BLOCK)].map(({ 1: mark = "", 2: language = "", 3: block = "", index }) => ({
    mark,
    language,
    text: block,
    at: `${document}:${text.slice(0, index).split("\n").length}`,
  }));
}
