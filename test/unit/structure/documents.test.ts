import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { flowProblems, readFlows } from "./flows.ts";
import { readSources } from "./read-sources.ts";
import { readSource } from "./source-file.ts";

const sources = new Map(readSources().map((file) => [file.path, file]));
const architecture = readFileSync(join(PROJECT_ROOT, "ARCHITECTURE.md"), "utf8");

/** Documents about the code as it is. Records of decisions and the changelog speak of the code of their day. */
const documents = [
  ...["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"],
  ...readdirSync(join(PROJECT_ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md") && !name.startsWith("decisions/"))
    .map((name) => `docs/${name}`),
];

/** Paths of the repository that a document names in code marks, and what its links lead to. */
function namedPaths(document: string, text: string): string[] {
  const inMarks = [
    ...text.matchAll(
      /`((?:src|dashboard|local-agent|local-edge|cli|scripts|bench|test|docs|examples|policies)\/[^`\s]*)`/g,
    ),
  ];
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)];
  return [
    ...inMarks.map(([, path = ""]) => path).filter((path) => !/[<>*…{]/.test(path)),
    ...links.map(([, path = ""]) => join(document, "..", path)),
  ];
}

describe("the documents", () => {
  it.each(documents)("%s names only paths that exist", (document) => {
    const text = readFileSync(join(PROJECT_ROOT, document), "utf8");
    expect(namedPaths(document, text).filter((path) => !existsSync(join(PROJECT_ROOT, path)))).toEqual([]);
  });
});

const guides = [
  "README.md",
  ...readdirSync(join(PROJECT_ROOT, "examples"))
    .map((name) => `examples/${name}/README.md`)
    .filter((path) => existsSync(join(PROJECT_ROOT, path))),
];

/** A follower shows what comes from now on: who starts it later than the signal waits for nothing. */
describe("a guide that follows the log and emits", () => {
  const following = guides.filter((guide) => readFileSync(join(PROJECT_ROOT, guide), "utf8").includes("--follow"));

  it("is found", () => expect(following).toContain("examples/host-tree/README.md"));

  it.each(following)("has its reader follow first (%s)", (guide) => {
    const text = readFileSync(join(PROJECT_ROOT, guide), "utf8");
    expect(text.search(/ganglion signals --follow/)).toBeLessThan(text.search(/ganglion emit/));
  });
});

describe("the flows of ARCHITECTURE.md", () => {
  it("are five, and each leads forward through files that are connected, none twice", () => {
    const flows = readFlows(architecture);
    expect(flows).toHaveLength(5);
    for (const { title, steps } of flows) expect(steps.length, title).toBeGreaterThan(4);
    expect(flows.flatMap((flow) => flowProblems(flow, sources))).toEqual([]);
  });
});

describe("the check of a flow", () => {
  const files = new Map(
    [
      readSource("a.ts", 'import { b } from "./b.ts";'),
      readSource("b.ts", 'import { c } from "./c.ts";'),
      readSource("c.ts", "export class C { append() {} }"),
    ].map((file) => [file.path, file]),
  );
  const problems = (...steps: string[]) =>
    readFlows(
      `## The five flows\n\n### 1. A flow\n\n${steps.map((step, index) => `${index + 1}. ${step}`).join("\n")}`,
    ).flatMap((flow) => flowProblems(flow, files));

  it("lets imports in either direction and stated hand-overs pass", () => {
    expect(problems("`a.ts`: begins", "`b.ts`: goes on", "`c.ts` *(RPC `append`)*: ends")).toEqual([]);
    expect(problems("`a.ts`", "`c.ts` *(by `b.ts`)*")).toEqual([]);
  });

  it.each([
    [["`a.ts`", "`c.ts`"], "no import connects"],
    [["`a.ts`", "`b.ts`", "`a.ts`"], "comes twice"],
    [["`a.ts`", "`c.ts` *(RPC `gone`)*"], "has no method gone"],
    [["`a.ts`", "`c.ts` *(by `d.ts`)*"], "does not know both"],
    [["`a.ts`", "`c.ts` *(somehow)*"], "is none of"],
  ])("refuses %j", (steps, reason) => {
    expect(problems(...steps)).toEqual([expect.stringContaining(reason)]);
  });
});
