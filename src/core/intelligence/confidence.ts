import type { FileFacts } from "./file-facts.ts";
import type { NodeType } from "./node-types.ts";

/**
 * What each part of a file is worth. A complete file of any kind reaches 0.95, and an effect that handles transactions 1:
 * a scheme in which only effects can pass 0.9 would judge the other three kinds by a part that they do not have.
 */
export const CONFIDENCE_WEIGHTS = {
  imports: 0.15,
  classWithBases: 0.2,
  methods: 0.2,
  errorHandling: 0.2,
  documentation: 0.2,
  transactions: 0.05,
} as const;

/** Patterns of this confidence and below are not given out unless they are asked for. */
export const LEAST_CONFIDENCE = 0.5;

/** How complete an example a file is, from 0 to 1. */
export function confidenceOf(facts: FileFacts, type: NodeType | undefined): number {
  const weights = CONFIDENCE_WEIGHTS;
  const sum =
    (facts.imports.length > 0 ? weights.imports : 0) +
    weights.classWithBases * classPart(facts) +
    weights.methods * methodPart(facts) +
    weights.errorHandling * errorPart(facts) +
    weights.documentation * documentationPart(facts) +
    (type === "EFFECT" && facts.transactions.length > 0 ? weights.transactions : 0);
  return Math.round(sum * 1_000) / 1_000;
}

/** A class without a base is half of what is wanted. */
function classPart({ classes }: FileFacts): number {
  if (classes.some(({ bases }) => bases.length > 0)) return 1;
  return classes.length > 0 ? 0.5 : 0;
}

/** Methods beside the constructor; functions outside of classes count half. */
function methodPart({ classes, functions }: FileFacts): number {
  const methods = classes.flatMap((each) => each.methods);
  if (methods.some(({ name }) => !isConstructor(name))) return 1;
  return methods.length > 0 || functions.length > 0 ? 0.5 : 0;
}

/** Errors that are caught by their kind. Catching everything, or raising alone, is half. */
function errorPart({ errorHandling: { caught, tries, raises } }: FileFacts): number {
  if (caught.length > 0) return 1;
  return tries > 0 || raises > 0 ? 0.5 : 0;
}

/** Half for the file or a class, half for the share of public methods and functions that are described. */
function documentationPart({ documentation, classes, functions }: FileFacts): number {
  const described = documentation !== undefined || classes.some((each) => each.documentation !== undefined);
  const open = [...classes.flatMap(({ methods }) => methods), ...functions].filter(({ name }) => !name.startsWith("_"));
  const share = open.length === 0 ? 0 : open.filter(({ documented }) => documented).length / open.length;
  return (described ? 0.5 : 0) + 0.5 * share;
}

export const isConstructor = (name: string): boolean => name === "__init__" || name === "constructor";
