import { discoveredModule, isModuleName } from "../../../../src/core/hosts/discovered-module.ts";

/** Requirements of an investigation for its module to be integrated. */
export interface QualificationLimits {
  readonly prefix: string;
  readonly minimumConfidence: number;
  readonly minimumPyFiles: number;
}

/** A module that an investigation found. `path` is unchecked. */
export interface Candidate {
  readonly name: string;
  readonly path: string | undefined;
}

export type Qualification =
  | { readonly kind: "candidate"; readonly candidate: Candidate }
  /** The investigation is not about a module. */
  | { readonly kind: "not_a_module" }
  | { readonly kind: "not_qualified"; readonly name: string; readonly reason: string };

/**
 * Whether an investigation found a module to integrate: its hypothesis begins with the prefix, `actionable` is not
 * `false`, and its confidence and number of Python files, if given, are high enough.
 *
 * @param record - a line of the log of investigations
 */
export function qualify(record: Readonly<Record<string, unknown>>, limits: QualificationLimits): Qualification {
  const { actionable, confidence } = record;
  const module = discoveredModule(record, limits.prefix);
  if (module === undefined) return { kind: "not_a_module" };
  const { name, path, pyFiles } = module;
  const refuse = (reason: string): Qualification => ({ kind: "not_qualified", name, reason });
  if (!isModuleName(name)) return refuse("the name is not that of a Python module");
  if (actionable === false) return refuse("the investigation is marked as not actionable");
  if (typeof confidence === "number" && confidence < limits.minimumConfidence)
    return refuse(`the confidence is ${confidence}, below ${limits.minimumConfidence}`);
  if (pyFiles !== undefined && pyFiles < limits.minimumPyFiles)
    return refuse(`the module has ${pyFiles} Python files, fewer than ${limits.minimumPyFiles}`);
  return { kind: "candidate", candidate: { name, path } };
}
