import { circles, fileGraph, folderGraph } from "./circles.ts";
import { AGENT_FLOORS, CORE_BASE, CORE_NEIGHBOURS, FLOORS } from "./floors.ts";
import type { SourceFile } from "./source-file.ts";

export interface Violation {
  /** Names rule and place. Stays the same while other lines of the file change. */
  readonly key: string;
  /** What is wrong, where, and what to do. */
  readonly message: string;
}

type Rule = (files: readonly SourceFile[]) => Violation[];

const FILE_LINES = 300;
const OBJECT_CLASS_LINES = 250;
const MEASURED = ["src/", "dashboard/", "local-agent/", "cli/", "local-edge/", "scripts/"];
const PARSED = ["src/", "dashboard/", "local-agent/", "cli/"];

const lies = (path: string, prefixes: readonly string[]) => prefixes.some((prefix) => path.startsWith(prefix));

export const importsGoDown: Rule = (files) =>
  eachImport(files).flatMap(({ path, target }) =>
    mayImport(path, target)
      ? []
      : [
          {
            key: `upward: ${path} imports ${target}`,
            message: `${path} imports ${target}, which lies above it: move what is shared down, or take it as a parameter (test/unit/structure/floors.ts says what may import what)`,
          },
        ],
  );

export const noCircleOfFiles: Rule = (files) =>
  [...circles(fileGraph(files))].map(([path, way]) => ({
    key: `circle of files: ${path}`,
    message: `${way.join(" → ")} import each other in a circle, types included: move what both need into a file below them`,
  }));

export const noCircleOfFolders: Rule = (files) =>
  [...circles(folderGraph(files.filter(({ path }) => !path.startsWith("test/"))))].map(([folder, way]) => ({
    key: `circle of folders: ${folder}`,
    message: `the folders ${way.join(" → ")} import each other in a circle: move what both need into a folder below them`,
  }));

export const filesAreShort: Rule = (files) =>
  files
    .filter(({ path, lines }) => lies(path, MEASURED) && lines > FILE_LINES)
    .map(({ path, lines }) => ({
      key: `long file: ${path}`,
      message: `${path} has ${lines} lines, ${FILE_LINES} at most: give one of its parts a file`,
    }));

export const objectsAreThin: Rule = (files) =>
  files
    .filter(({ path }) => path.startsWith("src/durable-objects/") && path.endsWith("/object.ts"))
    .flatMap(({ path, classes }) => classes.map((each) => ({ path, ...each })))
    .filter(({ lines }) => lines > OBJECT_CLASS_LINES)
    .map(({ path, name, lines }) => ({
      key: `long class: ${name} in ${path}`,
      message: `class ${name} in ${path} has ${lines} lines, ${OBJECT_CLASS_LINES} at most: move what is not wiring into a store or into the core`,
    }));

export const nothingIsCast: Rule = (files) =>
  files
    .filter(({ path }) => lies(path, PARSED))
    .flatMap(({ path, casts }) =>
      casts.map(({ line, text }) => ({
        key: `cast: ${text} in ${path}`,
        message: `${path}:${line} casts (${text}): read the value by its schema or by a typed reader`,
      })),
    );

export const coreIsPure: Rule = (files) =>
  files
    .filter(({ path }) => path.startsWith("src/core/"))
    .flatMap(({ path, impure, imports }) => [
      ...impure.map(({ line, text }) => ({
        key: `impure: ${text} in ${path}`,
        message: `${path}:${line} uses ${text}: the core is given time, chance and answers as arguments`,
      })),
      ...imports
        .filter(({ specifier }) => /^(node|cloudflare):/.test(specifier))
        .map(({ specifier }) => ({
          key: `impure: ${specifier} in ${path}`,
          message: `${path} imports ${specifier}: the core does no I/O`,
        })),
    ]);

/** The compiler checks no spread literal for fields that do not exist. */
export const literalsAreNotSpread: Rule = (files) =>
  files.flatMap(({ path, spreads }) =>
    spreads.map(({ line, text }) => ({
      key: `spread: ${text} in ${path}`,
      message: `${path}:${line} spreads a literal (${text}): write its fields out`,
    })),
  );

const OBJECTS_FOUND_IN = "src/durable-objects/shell/ports.ts";

/** Jurisdiction and location hint hold for all objects of a deployment, or they hold for none. */
export const objectsAreFoundInOnePlace: Rule = (files) =>
  files
    .filter(({ path }) => path.startsWith("src/") && path !== OBJECTS_FOUND_IN)
    .flatMap(({ path, objectIds }) =>
      objectIds.map(({ line, text }) => ({
        key: `object id: ${text} in ${path}`,
        message: `${path}:${line} makes the id of an object (${text}): use objectNamed of ${OBJECTS_FOUND_IN}, which knows where the deployment's objects are`,
      })),
    );

const LOGGED_IN = "src/durable-objects/shell/log-line.ts";

/** A log is searched by its fields, and a secret is masked where the line is made. */
export const logsAreLines: Rule = (files) =>
  files
    .filter(({ path }) => path.startsWith("src/") && path !== LOGGED_IN)
    .flatMap(({ path, consoles }) =>
      consoles.map(({ line, text }) => ({
        key: `console: ${text} in ${path}`,
        message: `${path}:${line} writes to the console: use logLine of ${LOGGED_IN}, which writes one line of JSON without secrets`,
      })),
    );

/** `import { z }` makes bundlers keep all of zod; the namespace lets them drop unused parts. */
export const zodIsANamespace: Rule = (files) =>
  files
    .filter(({ path }) => path.startsWith("src/"))
    .flatMap(({ path, imports }) => imports.map((each) => ({ path, ...each })))
    .filter(({ specifier, names }) => specifier === "zod" && !names.includes("*"))
    .map(({ path }) => ({ key: `zod: ${path}`, message: `${path}: write import * as z from "zod"` }));

export const ALL_RULES: readonly Rule[] = [
  importsGoDown,
  noCircleOfFiles,
  noCircleOfFolders,
  filesAreShort,
  objectsAreThin,
  nothingIsCast,
  literalsAreNotSpread,
  coreIsPure,
  objectsAreFoundInOnePlace,
  logsAreLines,
  zodIsANamespace,
];

/** @returns permissions of {@link CORE_NEIGHBOURS} of which nothing makes use: they would let a new import in unseen */
export function unusedNeighbours(files: readonly SourceFile[]): string[] {
  const used = new Set(
    eachImport(files).map(({ path, target }) => `${coreConcept(path) ?? ""} → ${coreConcept(target) ?? ""}`),
  );
  return Object.entries(CORE_NEIGHBOURS)
    .flatMap(([concept, neighbours]) => neighbours.map((neighbour) => `${concept} → ${neighbour}`))
    .filter((permission) => !used.has(permission));
}

function eachImport(files: readonly SourceFile[]): { readonly path: string; readonly target: string }[] {
  return files.flatMap(({ path, imports }) =>
    imports.flatMap(({ target }) => (target === undefined ? [] : [{ path, target }])),
  );
}

function mayImport(path: string, target: string): boolean {
  if (path.startsWith("test/")) return true;
  const floor = FLOORS.find((each) => path.startsWith(each.in));
  if (floor === undefined) return !target.startsWith("test/");
  if (!target.startsWith(floor.in)) return lies(target, floor.mayImport);
  const [from, to] = [coreConcept(path), coreConcept(target)];
  if (from !== undefined && to !== undefined) return mayImportConcept(from, to);
  return agentFloor(path) >= agentFloor(target);
}

function mayImportConcept(from: string, to: string): boolean {
  if (from === to || CORE_NEIGHBOURS[from]?.includes(to)) return true;
  const base: readonly string[] = CORE_BASE;
  const [own, other] = [base.indexOf(from), base.indexOf(to)];
  return other >= 0 && (own < 0 || other < own);
}

function coreConcept(path: string): string | undefined {
  return /^src\/core\/([^/]+)\//.exec(path)?.[1];
}

const FEATURES = 3;

/** 0 outside of the agent. A folder that {@link AGENT_FLOORS} does not name is a feature. */
function agentFloor(path: string): number {
  const [, folder] = /^local-agent\/([^/]+)/.exec(path) ?? [];
  if (folder === undefined) return 0;
  const floor = AGENT_FLOORS.findIndex((folders) => folders.includes(folder));
  return floor >= 0 ? floor : FEATURES;
}
